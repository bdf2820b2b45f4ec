using System.Globalization;
using System.Text.Json.Nodes;

namespace FedSeg.Cli.Ledgers.Shipping;

/// <summary>An audit event as a FHIR R4 AuditEvent, <c>hl7.org/fhir/R4/auditevent.html</c>. Its entities are runs and updates, never patients: the ledger names none.</summary>
internal static class FhirAuditEvent
{
    private const string DicomCodes = "http://dicom.nema.org/resources/ontology/DCM";

    public static JsonObject Of(AuditRecord record)
    {
        var entry = record.Entry;
        return new JsonObject
        {
            ["resourceType"] = "AuditEvent",
            ["type"] = Type(record),
            ["subtype"] = new JsonArray(new JsonObject { ["system"] = "urn:fedseg:ledger-action", ["code"] = entry.Action }),
            ["action"] = record.IsExport ? "R" : entry.Action.Contains("discarded", StringComparison.OrdinalIgnoreCase) ? "D" : "E",
            ["recorded"] = entry.Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
            ["outcome"] = record.Outcome.ToString(CultureInfo.InvariantCulture),
            ["agent"] = new JsonArray(new JsonObject { ["who"] = new JsonObject { ["display"] = record.By }, ["requestor"] = true }),
            ["source"] = new JsonObject { ["observer"] = new JsonObject { ["display"] = record.Log } },
            ["entity"] = new JsonArray(Entities(record)),
        };
    }

    private static JsonObject Type(AuditRecord record)
    {
        var (code, display) = record switch
        {
            { IsExport: true } => ("110106", "Export"),
            { Outcome: 8 } => ("110113", "Security Alert"),
            _ => ("110100", "Application Activity"),
        };
        return new JsonObject { ["system"] = DicomCodes, ["code"] = code, ["display"] = display };
    }

    private static JsonNode?[] Entities(AuditRecord record)
    {
        var facts = record.Entry.Facts;
        var named = new[] { "run", "update" }.Where(facts.ContainsKey).Select(name => Identified($"urn:fedseg:{name}", facts[name]));
        var details = facts.Select(fact => (JsonNode?)new JsonObject { ["type"] = fact.Key, ["valueString"] = fact.Value });
        var position = Identified("urn:fedseg:ledger-leaf", record.Leaf.ToString());
        position["name"] = string.Create(CultureInfo.InvariantCulture, $"{record.Log} entry {record.Entry.Seq}");
        if (facts.Count > 0) position["detail"] = new JsonArray([.. details]);
        return [.. named, position];
    }

    private static JsonObject Identified(string system, string value) =>
        new() { ["what"] = new JsonObject { ["identifier"] = new JsonObject { ["system"] = system, ["value"] = value } } };
}

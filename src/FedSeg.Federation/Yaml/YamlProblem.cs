namespace FedSeg.Federation.Yaml;

/// <summary>One thing wrong with a YAML file a person wrote: where it stands, and what to do.</summary>
/// <param name="Line">1-based line; 0 when the file as a whole is meant.</param>
/// <param name="Message">The key, the value and what is allowed.</param>
public sealed record YamlProblem(int Line, string Message)
{
    public override string ToString() => Line > 0 ? $"line {Line}: {Message}" : Message;
}

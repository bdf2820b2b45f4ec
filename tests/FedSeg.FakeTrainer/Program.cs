using System.Diagnostics;
using System.Text.Json;
using FedSeg.FakeTrainer;

// With "learn" one that behaves (LearningTrainer); without, a trainer process that misbehaves as the first command's device says, so that the agent's side of the pipe can be tested without a cohort.
if (args is ["learn"])
{
    await LearningTrainer.RunAsync(Console.In, Console.Out);
    return 0;
}

// One that delivers updates a test can compute, for federations of real processes.
if (args is ["deliver", var site])
{
    await Deliveries.RunAsync(int.Parse(site), Console.In, Console.Out);
    return 0;
}

const string fullDisk = """{"event":"failed","code":"storage","detail":"No space left on device : '/hospital/state'"}""";
const string ready =
    """{"event":"ready","trainingCases":10,"heldBackCases":5,"quarantined":{},"networkIsolated":true,"device":"cpu"}""";
var runs = 0;
while (Console.ReadLine() is { } line)
{
    using var command = JsonDocument.Parse(line);
    if (command.RootElement.GetProperty("command").GetString() == "run")
    {
        runs++;
        // "dying" in its update's name: the process ends after each of these steps in turn; the state folder remembers how often. "dying-own"
        // does so in the steps on the site's own model, when those on the federation's are made.
        if (command.RootElement.GetProperty("updatePath").GetString()!.StartsWith("dying", StringComparison.Ordinal))
        {
            var marks = command.RootElement.GetProperty("stateDirectory").GetString()!;
            var name = command.RootElement.GetProperty("updatePath").GetString()!.Split('-');
            var own = name[1] == "own";
            var reached = name[(own ? 2 : 1)..];
            var deaths = Directory.GetFiles(marks).Length;
            if (deaths < reached.Length)
            {
                File.WriteAllText(Path.Combine(marks, deaths.ToString()), "");
                if (own && deaths == 0) Console.WriteLine("""{"event":"stepped","step":500,"steps":500,"loss":0.5}""");
                var more = own ? "\"own\":true" : "\"loss\":0.5";
                Console.WriteLine($$"""{"event":"stepped","step":{{reached[deaths]}},"steps":500,{{more}}}""");
                Process.GetCurrentProcess().Kill();
            }
        }

        Console.WriteLine($$"""{"event":"finished","trainingCases":10,"heldBackCases":5,"cohort":{"used":15,"found":17},"steps":{{runs}},"meanLoss":0.5,"scores":[],"seconds":1}""");
        continue;
    }

    if (command.RootElement.GetProperty("command").GetString() == "fingerprint")
    {
        Console.WriteLine(fullDisk);
        continue;
    }

    if (command.RootElement.GetProperty("command").GetString() == "preflight")
    {
        // The report's folder says how the cohort is: a trainer that can't read it, or one with refused studies.
        Console.WriteLine(command.RootElement.GetProperty("cohortDirectory").GetString()!.EndsWith("unreadable", StringComparison.Ordinal)
            ? """{"event":"failed","code":"tooFewCases","detail":"/hospital/unreadable: no such folder"}"""
            : """{"event":"surveyed","usable":0,"quarantined":{"GantryTilt":2,"MissingSlices":1}}""");
        continue;
    }

    switch (command.RootElement.GetProperty("device").GetString())
    {
        case "cpu":
            Console.WriteLine(ready);
            break;
        case "steps":
            Console.WriteLine("""{"event":"stepped","step":1,"steps":2,"loss":0.5}""");
            Console.WriteLine("""{"event":"stepped","step":2,"steps":2,"loss":0.4}""");
            Console.WriteLine("""{"event":"failed","code":"labelNotFound","detail":"case 7 of the operator's folder"}""");
            break;
        case "full":
            Console.WriteLine(fullDisk);
            break;
        case "chatty":
            // More than any pipe holds.
            for (var i = 0; i < 20_000; i++) Console.Error.WriteLine("case 7 of the operator's folder");
            Console.WriteLine(ready);
            break;
        case "garbage":
            Console.WriteLine("Segmentation fault");
            break;
        case "untyped":
            Console.WriteLine("{}");
            break;
        case "flood":
            Console.WriteLine(new string('x', 2 << 20));
            break;
        case "exit":
            Console.Error.WriteLine("The disk of the operator is full.");
            return 7;
        case "killed":
            Process.GetCurrentProcess().Kill();
            break;
        case "environment":
            var names = string.Join(' ', Environment.GetEnvironmentVariables().Keys.Cast<string>());
            Console.WriteLine(JsonSerializer.Serialize(new { @event = "failed", code = "fault", detail = names }));
            break;
        case "silent":
            break;
    }
}

return 0;

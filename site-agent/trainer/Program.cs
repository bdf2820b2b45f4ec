using FedSeg.Segmentation.Networks;
using FedSeg.Trainer;

TensorMemory.Prepare();

// Standard output carries events and nothing else; whatever a library prints goes to standard error.
using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true, NewLine = "\n" };
Console.SetOut(Console.Error);

var session = new TrainerSession(trainerEvent => output.WriteLine(TrainerLine.Write(trainerEvent)), TimeProvider.System);

// One thread does everything: torch's dispose scopes belong to a thread. A broken pipe to the agent ends the process by an IOException.
while (Console.In.ReadLine() is { } line)
{
    if (line.Length > 0) session.Handle(line);
}

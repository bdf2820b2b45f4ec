using System.Globalization;
using System.Text.Json;
using FedSeg.Hosting.Certificates;
using FedSeg.HostileSwarm;

// FedSeg.HostileSwarm AUTHORITY DOOR CLIENTS: lets the clients loose until its input closes, and tells every second how often those of each kind came.
using var swarm = new Swarm(FederationAuthority.Open(args[0], TimeProvider.System));
using var end = new CancellationTokenSource();
var attack = swarm.AttackAsync(new Uri(args[1]), int.Parse(args[2], CultureInfo.InvariantCulture), end.Token);
// The console reads while its caller waits, whatever the method is called.
var told = Task.WhenAny(attack, Task.Run(Console.In.ReadToEnd));
while (!told.IsCompleted)
{
    Console.WriteLine(JsonSerializer.Serialize(swarm.Visits));
    await Task.WhenAny(told, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System));
}

await end.CancelAsync();
await attack;

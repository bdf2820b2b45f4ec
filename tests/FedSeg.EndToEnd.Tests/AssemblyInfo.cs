// Every test starts a federation of processes; two at a time would time each other out on two cores.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

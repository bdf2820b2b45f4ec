using System.CommandLine;
using FedSeg.Cli.Demo;
using FedSeg.Cli.Engine;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Jobs;
using FedSeg.Cli.Ledgers;
using FedSeg.Cli.Policies;
using FedSeg.Cli.Programs;
using FedSeg.Cli.Provisioning;

var root = new RootCommand("FedSeg: federated learning of medical image segmentation. Weights travel, images stay.")
{
    DemoCommand.Create(),
    PhantomCommand.Create(),
    DicomCommands.Create(),
    TrainCommand.Create(),
    ProvisionCommands.Create(),
    JobCommands.Create(),
    ModelCommands.Create(),
    LedgerCommands.Create(),
    PolicyCommands.Create(),
};
return await CommandLine.RunAsync(root, args);

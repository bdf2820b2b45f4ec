using System.CommandLine;
using FedSeg.Cli.Aggregation;
using FedSeg.Cli.Benchmarks;
using FedSeg.Cli.Charters;
using FedSeg.Cli.Demo;
using FedSeg.Cli.Engine;
using FedSeg.Cli.Experiments;
using FedSeg.Cli.Imaging;
using FedSeg.Cli.Jobs;
using FedSeg.Cli.Ledgers;
using FedSeg.Cli.Policies;
using FedSeg.Cli.Privacy;
using FedSeg.Cli.Programs;
using FedSeg.Cli.Provisioning;
using FedSeg.Cli.Studies;

var root = new RootCommand("FedSeg: federated learning of medical image segmentation. Weights travel, images stay.")
{
    DemoCommand.Create(),
    PhantomCommand.Create(),
    DicomCommands.Create(),
    MetricsCommand.Create(),
    FingerprintCommand.Create(),
    PlanCommand.Create(),
    TrainCommand.Create(),
    PredictCommand.Create(),
    EvaluateCommand.Create(),
    ExperimentCommand.Create(),
    ExplainCommand.Create(),
    ProvisionCommands.Create(),
    AggregateCommand.Create(),
    SignInCommand.Create(),
    JobCommands.Create(),
    ModelCommands.Create(),
    LedgerCommands.Create(),
    BenchCommands.Create(),
    PrivacyCommands.Create(),
    PolicyCommands.Create(),
    CharterCommands.Create(),
    StudyCommands.Create(),
};
return await CommandLine.RunAsync(root, args);

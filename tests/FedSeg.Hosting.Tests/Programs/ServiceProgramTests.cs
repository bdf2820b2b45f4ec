using System.Collections.Concurrent;
using FedSeg.Hosting.Programs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedSeg.Hosting.Tests.Programs;

public sealed class ServiceProgramTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedseg-settings-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Configure_NoSettingsNamed_SaysHowToNameThem() => Assert.Contains("--settings FILE", Refusal([]));

    [Fact]
    public void Configure_MissingFile_NamesIt() => Assert.Contains("absent.json", Refusal(["--settings", Path.Combine(_folder.FullName, "absent.json")]));

    [Fact]
    public void Configure_FileThatIsNoJson_NamesIt() => Assert.Contains("agent.json", Refusal(["--settings", Write("{ not json")]));

    [Fact]
    public void Configure_SwitchAndFile_TheSwitchWins()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);

        ServiceProgram.Configure(builder, ["--settings", Write("""{"Agent":{"Site":"north","Coordinator":"https://a"}}"""), "--Agent:Site=east"]);

        Assert.Equal("east", builder.Configuration["Agent:Site"]);
        Assert.Equal("https://a", builder.Configuration["Agent:Coordinator"]);
    }

    [Fact]
    public void ResolvePath_RelativePath_StartsAtTheSettingsFile() =>
        Assert.Equal(Path.Combine(_folder.FullName, "data"), ServiceProgram.ResolvePath(["--settings", Write("{}")], "data"));

    [Fact]
    public async Task RunAsync_InvalidData_IsBadInput() =>
        Assert.Equal(ServiceProgram.BadInput, await ServiceProgram.RunAsync(() => throw new InvalidDataException("Said by the test.")));

    /// <summary>A program of which a part is dead ends, with an exit code that says so: whoever looks after it starts it again.</summary>
    [Fact]
    public async Task RunAsync_ServiceThatBreaks_IsAFaultAndLogged()
    {
        var logs = new Logs();
        var exitCode = await ServiceProgram.RunAsync(() =>
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            ServiceProgram.Configure(builder, ["--settings", Write("{}")]);
            builder.Logging.AddProvider(logs);
            builder.Services.AddHostedService<BrokenService>();
            return builder.Build();
        });

        Assert.Equal(ServiceProgram.Fault, exitCode);
        Assert.Contains(logs.Lines, line => line.Contains(nameof(BrokenService), StringComparison.Ordinal) && line.Contains("Said by the test.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task RunAsync_Work_GivesItsExitCode(int exitCode) =>
        Assert.Equal(exitCode, await ServiceProgram.RunAsync(EmptyHost, (_, _) => Task.FromResult(exitCode)));

    [Fact]
    public async Task RunAsync_WorkThatIsToldToStop_IsAFault() =>
        Assert.Equal(ServiceProgram.Fault, await ServiceProgram.RunAsync(EmptyHost, async (services, stopping) =>
        {
            services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping);
            return ServiceProgram.Done;
        }));

    [Fact]
    public async Task RunAsync_WorkOnInvalidData_IsBadInput() =>
        Assert.Equal(ServiceProgram.BadInput, await ServiceProgram.RunAsync(EmptyHost, (_, _) => throw new InvalidDataException("Said by the test.")));

    private sealed class BrokenService : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("Said by the test.");
        }
    }

    private sealed class Logs : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception) + exception?.Message);

        public void Dispose()
        {
        }
    }

    private static IHost EmptyHost() => Host.CreateEmptyApplicationBuilder(null).Build();

    private string Write(string json)
    {
        var path = Path.Combine(_folder.FullName, "agent.json");
        File.WriteAllText(path, json);
        return path;
    }

    private static string Refusal(string[] args) =>
        Assert.Throws<InvalidDataException>(() => ServiceProgram.Configure(Host.CreateEmptyApplicationBuilder(null), args)).Message;
}

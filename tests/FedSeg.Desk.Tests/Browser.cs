using Microsoft.Playwright;

namespace FedSeg.Desk.Tests;

/// <summary>The system's Chromium, started once.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Candidates = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (Candidates.FirstOrDefault(File.Exists) is not { } path) return;
        // Other tests may want the same two cores.
        Assertions.SetDefaultExpectTimeout(60_000);
        _playwright = await Playwright.CreateAsync();
        // A container's root user can't have Chromium's own sandbox; the pages are ours.
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = path, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    /// <summary>A person's own window: no cookie of anybody else's.</summary>
    internal async Task<IPage> OpenAsync(string address)
    {
        Assert.SkipUnless(_browser is not null, "no Chromium here: apt-get install chromium");
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions { BaseURL = address, ViewportSize = new ViewportSize { Width = 1100, Height = 900 }, AcceptDownloads = true });
        context.SetDefaultTimeout(120_000);
        return await context.NewPageAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}

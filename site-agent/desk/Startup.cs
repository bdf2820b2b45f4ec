using System.Net;
using FedSeg.Desk.Accounts;
using FedSeg.Desk.Downloads;
using FedSeg.Desk.Look;
using FedSeg.Desk.Orders;
using FedSeg.Desk.Pages;
using FedSeg.Desk.Patients;
using FedSeg.Desk.SignIn;
using FedSeg.Egress.Review;
using FedSeg.Hosting.Certificates;
using FedSeg.Hosting.Programs;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace FedSeg.Desk;

/// <summary>One extension per feature, so that Program.cs reads as a table of contents.</summary>
internal static class Startup
{
    public static void AddDeskOptions(this WebApplicationBuilder builder, string[] args)
    {
        builder.Services.AddSingleton<IValidateOptions<DeskOptions>, DeskOptionsValidator>();
        builder.Services.AddOptions<DeskOptions>()
            .BindConfiguration("Desk", binder => binder.ErrorOnUnknownConfiguration = true)
            .PostConfigure<IConfiguration>((options, settings) =>
            {
                string Resolve(string? path) => string.IsNullOrEmpty(path) ? "" : ServiceProgram.ResolvePath(args, path);
                options.Certificate = Resolve(options.Certificate);
                options.PrivateKey = Resolve(options.PrivateKey);
                options.OpenId.ClientSecretFile = Resolve(options.OpenId.ClientSecretFile);
                options.Site = settings["Agent:Site"] ?? "";
                options.Recipient = settings["Agent:Coordinator"] ?? "";
                options.DataDirectory = Resolve(settings["Agent:DataDirectory"]);
                options.EgressPolicy = Resolve(settings["Agent:EgressPolicy"]);
            })
            .ValidateOnStart();
    }

    /// <summary>One port on this machine, or over TLS on the hospital's network; never more than a small house's worth of connections.</summary>
    public static void AddDeskEndpoint(this WebApplicationBuilder builder)
    {
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddSingleton<IConfigureOptions<KestrelServerOptions>, DeskEndpoint>();
        builder.Services.AddHostFiltering(_ => { });
        builder.Services.AddSingleton<IConfigureOptions<HostFilteringOptions>, DeskHosts>();
    }

    public static IServiceCollection AddDesk(this IServiceCollection services) => services.AddSingleton(provider =>
        new DeskClient(provider.GetRequiredService<IOptions<DeskOptions>>().Value.DataDirectory, provider.GetRequiredService<TimeProvider>())).AddScoped<OrderEndpoints.OrderDesk>();

    /// <summary>Whoever has not signed in sees the door and nothing else.</summary>
    public static IServiceCollection AddAccounts(this IServiceCollection services)
    {
        services.AddDataProtection();
        services.AddSingleton<IConfigureOptions<Microsoft.AspNetCore.DataProtection.KeyManagement.KeyManagementOptions>, SessionKeys>();
        services.AddSingleton<SessionCheck>();
        services.AddAuthentication(Session.Scheme).AddCookie(Session.Scheme, Session.Configure);
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder(Session.Scheme).RequireAuthenticatedUser().Build());
        return services;
    }

    /// <summary>The hospital's own sign-in, where the settings name it; the accounts of this site stay for the day it fails.</summary>
    public static void AddProvider(this WebApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration["Desk:OpenId:Authority"])) return;
        builder.Services.AddScoped<ProviderEvents>();
        builder.Services.AddSingleton<IConfigureOptions<OpenIdConnectOptions>, ProviderSignIn>();
        builder.Services.AddAuthentication().AddOpenIdConnect(ProviderSignIn.Scheme, _ => { });
    }

    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddAntiforgery(antiforgery =>
        {
            antiforgery.Cookie.Name = "desk-form";
            antiforgery.Cookie.SameSite = SameSiteMode.Strict;
            antiforgery.Cookie.HttpOnly = true;
            // Ours are stricter.
            antiforgery.SuppressXFrameOptionsHeader = true;
        });
        services.AddHttpContextAccessor().AddRazorComponents();
        return services;
    }

    /// <summary>Headers first, then who asks, then whether the form is ours, then the page.</summary>
    public static void UseDesk(this WebApplication app)
    {
        app.UseHostFiltering();
        app.Use(ResponseHeaders.AddAsync);
        app.UseProblems();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapRazorComponents<App>();
        app.MapLook();
        app.MapSignIn();
        app.MapProvider();
        app.MapOrders();
        app.MapPatients();
        app.MapDownloads();
    }

    private sealed class DeskEndpoint(IOptions<DeskOptions> settings) : IConfigureOptions<KestrelServerOptions>
    {
        public void Configure(KestrelServerOptions kestrel)
        {
            var options = settings.Value;
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 64;
            kestrel.Limits.MaxRequestBodySize = 16 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(options.Endpoint, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (options.HasCertificate) listen.UseHttps(KeyFiles.LoadCertificate(options.Certificate, options.PrivateKey));
            });
        }
    }

    /// <summary>A page on a private address must not be reachable through a stranger's name for it (DNS rebinding).</summary>
    private sealed class DeskHosts(IOptions<DeskOptions> settings) : IConfigureOptions<HostFilteringOptions>
    {
        public void Configure(HostFilteringOptions filtering)
        {
            var address = settings.Value.Endpoint.Address;
            filtering.AllowEmptyHosts = false;
            filtering.AllowedHosts = ["localhost", .. settings.Value.HostNames, .. address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? Array.Empty<string>() : [address.ToString()]];
        }
    }

    /// <summary>Signed-in people stay so over a restart; the keys lie in the desk's folder, for its owner alone.</summary>
    private sealed class SessionKeys(IOptions<DeskOptions> settings, ILoggerFactory logs) : IConfigureOptions<Microsoft.AspNetCore.DataProtection.KeyManagement.KeyManagementOptions>
    {
        public void Configure(Microsoft.AspNetCore.DataProtection.KeyManagement.KeyManagementOptions keys)
        {
            var directory = Directory.CreateDirectory(Path.Combine(DeskClient.FolderOf(settings.Value.DataDirectory), "keys"));
            if (!OperatingSystem.IsWindows()) directory.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            keys.XmlRepository = new Microsoft.AspNetCore.DataProtection.Repositories.FileSystemXmlRepository(directory, logs);
        }
    }
}

using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Loopback;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.Panel;

/// <summary>The load balancer in front of the panel, with an identity provider at which one chooses who to be; and the host of its public key.</summary>
internal sealed class PanelBalancer : IAsyncDisposable
{
    /// <summary>Where the region's load balancers show their keys.</summary>
    public const string KeysHost = "public-keys.auth.elb.us-east-1.amazonaws.com";

    /// <summary>The template's parameters that say whom the panel's function is to believe.</summary>
    public static readonly IReadOnlyDictionary<string, string> Parameters = new Dictionary<string, string>
    {
        ["AdminBalancerArn"] = BalancerSigner.Arn,
        ["OidcClientId"] = BalancerSigner.Client,
        ["OidcIssuer"] = BalancerSigner.Issuer,
        ["OidcRoles"] = Person.Roles,
    };

    /// <summary>Logical id of the function that it calls.</summary>
    public const string Function = "AdminPanelFunction";

    private const string TargetGroup = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/local/0000000000000000";

    private const string SignIn = "/oauth2/sign-in", SessionCookie = "AWSELBAuthSessionCookie-0";

    public const int StandardPort = 8082;

    private readonly BalancerSigner _signer;
    private readonly Func<string, byte[], Task<InvocationResult>> _invokeAsync;
    private readonly TimeProvider _clock;
    private LoopbackServer? _server;
    private LoopbackServer? _keys;

    private PanelBalancer(Func<string, byte[], Task<InvocationResult>> invokeAsync, TimeProvider clock) =>
        (_invokeAsync, _clock, _signer) = (invokeAsync, clock, new(clock));

    public Uri Endpoint => _server!.Endpoint;

    public int KeysPort => _keys!.Port;

    /// <param name="certificate">Of <see cref="KeysHost"/>.</param>
    public static async Task<PanelBalancer> StartAsync(
        Func<string, byte[], Task<InvocationResult>> invokeAsync, int port, X509Certificate2 certificate, TimeProvider clock)
    {
        var balancer = new PanelBalancer(invokeAsync, clock);
        try
        {
            balancer._keys = await LoopbackServer.StartAsync(balancer.ShowKeyAsync, certificate: certificate);
            balancer._server = await balancer.ServeAsync(port);
            return balancer;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await balancer.DisposeAsync();
            throw new CannotStart($"Port {port} of 127.0.0.1 {(e is IOException ? "is taken" : "may not be used")}: name another with --panel-port, or --panel-port 0 for one that is free.");
        }
    }

    /// <summary>What the function is handed for a request of somebody who has signed in.</summary>
    public JsonObject EventOf(GatewayRequest request, Person person)
    {
        // What a client claims to be is not passed on.
        var headers = request.Headers.Where(header => !header.Key.StartsWith("x-amzn-oidc-", StringComparison.OrdinalIgnoreCase)).ToList();
        headers.Add(new("x-amzn-oidc-data", _signer.Sign(person)));
        headers.Add(new("x-amzn-oidc-identity", person.Subject));
        headers.Add(new("x-forwarded-proto", "https"));
        return BalancerEvent.From(request with { Headers = headers }, TargetGroup);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        if (_keys is not null)
            await _keys.DisposeAsync();
        _signer.Dispose();
    }

    // Nobody has to name another port for the panel's sake: where its own is taken, a free one serves.
    private async Task<LoopbackServer> ServeAsync(int port)
    {
        try
        {
            return await LoopbackServer.StartAsync(AnswerAsync, port);
        }
        catch (IOException) when (port == StandardPort)
        {
            return await LoopbackServer.StartAsync(AnswerAsync);
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Path == SignIn)
        {
            await SignInAsync(http);
            return;
        }
        if (Person.All.FirstOrDefault(one => one.Name == http.Request.Cookies[SessionCookie]) is not { } person)
        {
            http.Response.Redirect(SignIn);
            return;
        }

        var request = await GatewayRequest.ReadAsync(http, http.Connection.RemoteIpAddress!.ToString(), _clock.GetUtcNow());
        var payload = EventOf(request, person).ToJsonString();
        if (await _invokeAsync(Function, Encoding.UTF8.GetBytes(payload)) is not InvocationResult.Answered answered
            || !await GatewayAnswer.WriteAsync(http, answered.Payload))
        {
            http.Response.StatusCode = 502;
            await http.Response.WriteAsync("502 Bad Gateway");
        }
    }

    // In the place of an identity provider's own page.
    private static async Task SignInAsync(HttpContext http)
    {
        if (Person.All.FirstOrDefault(one => one.Name == http.Request.Query["as"]) is { } person)
        {
            http.Response.Cookies.Append(SessionCookie, person.Name, new() { HttpOnly = true, SameSite = SameSiteMode.Lax });
            http.Response.Redirect("/");
            return;
        }
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync(
            $"""
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in</title>
            <main><h1>Who do you want to be?</h1><p>In the place of your identity provider's page.</p>
            <ul>{string.Concat(Person.All.Select(one => $"<li><a href=\"{SignIn}?as={one.Name}\">{one.Name}</a> ({one.Mail})</li>"))}</ul></main></html>
            """);
    }

    private async Task ShowKeyAsync(HttpContext http)
    {
        if (http.Request.Path.Value != $"/{_signer.KeyId}")
        {
            http.Response.StatusCode = 404;
            return;
        }
        http.Response.ContentType = "text/plain";
        await http.Response.WriteAsync(_signer.PublicKey);
    }
}

using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Events;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.SlackHandler.Installation;

/// <summary>An administrator of a workspace with a browser, Slack's side of OAuth, and the functions that both meet.</summary>
internal sealed class Installer(SlackFixture world)
{
    public const string Token = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy";
    public const string Code = "4724469134.4644010092.847e8e5d";

    /// <summary>What Slack answers to the exchange of a code.</summary>
    public string Answer { get; set; } = AnswerFor("T0001");

    public int Status { get; set; } = 200;

    /// <summary>What Slack was asked, form by form.</summary>
    public List<string> Exchanges { get; } = [];

    public static string AnswerFor(string team, string? organisation = null, string token = Token) => new JsonObject
    {
        ["ok"] = true,
        ["access_token"] = token,
        ["token_type"] = "bot",
        ["scope"] = "commands,chat:write,im:write",
        ["bot_user_id"] = "U0KRQLJ9H",
        ["app_id"] = "A0KRD7HC3",
        ["team"] = organisation is null ? new JsonObject { ["name"] = "Pickles & <b>Co</b>", ["id"] = team } : null,
        ["enterprise"] = organisation is null ? null : new JsonObject { ["name"] = "Pickles", ["id"] = organisation },
        ["is_enterprise_install"] = organisation is not null,
        ["authed_user"] = new JsonObject { ["id"] = "U1234" },
    }.ToJsonString();

    public async Task<OneTimeCode> InviteAsync(TenantId tenant, TimeSpan? age = null)
    {
        var ticket = OneTimeCode.Make();
        var made = world.Clock.Now - (age ?? TimeSpan.Zero);
        await world.Installations.AddAsync(new(ticket.Hash, tenant, made, made + InstallTicket.Lifetime), world.Tables.Auditor, SlackFixture.Cancel);
        return ticket;
    }

    public SlackInstallationFunction NewFunction(RotatingSecret<SlackSecret>? secret = null)
    {
        secret ??= world.Secret();
        var (events, origin) = (world.NewEvents(), new OriginCheck(secret));
        var installations = InstallationsOf("SlackInstallationFunction");
        var places = new SlackPlaces(new Uri("https://api.example.com"), null);
        return new(
            new BeginInstallation(origin, secret, installations, places, events, world.Clock),
            new CompleteInstallation(
                origin, secret, installations, AuditOf("SlackInstallationFunction"), new BotTokens(installations, secret), new SlackWebApi(new Exchange(this)), places, events,
                world.Clock),
            events, TimeProvider.System);
    }

    public SlackEventsFunction NewEventsFunction(RotatingSecret<SlackSecret>? secret = null)
    {
        secret ??= world.Secret();
        return new(
            new AnswerEvent(
                new OriginCheck(secret), new SlackSignature(secret, world.Clock), InstallationsOf("SlackEventsFunction"),
                AuditOf("SlackEventsFunction"), world.NewHome(), world.NewEvents()),
            world.NewEvents(), TimeProvider.System);
    }

    private SlackInstallations InstallationsOf(string function) => new(world.Tables.ClientOf(function), world.Tables.Tenants, world.Clock);

    private AuditTrail AuditOf(string function) => new(world.Tables.ClientOf(function), world.Tables.Audit, world.Clock);

    /// <summary>Opens the link.</summary>
    public Task<APIGatewayHttpApiV2ProxyResponse> OpenAsync(string ticket, string? cookie = null, SlackInstallationFunction? function = null) =>
        GetAsync($"/slack/install/{ticket}", "", cookie, function);

    /// <summary>Comes back from Slack.</summary>
    public Task<APIGatewayHttpApiV2ProxyResponse> ReturnAsync(string query, string? cookie, SlackInstallationFunction? function = null) =>
        GetAsync("/slack/oauth_redirect", query, cookie, function);

    /// <summary>From the link to the page at the end, with a consent in between.</summary>
    public async Task<APIGatewayHttpApiV2ProxyResponse> InstallAsync(OneTimeCode ticket, SlackInstallationFunction? function = null)
    {
        var opened = await OpenAsync(ticket.Text, function: function);
        return await ReturnAsync($"code={Code}&state={StateIn(opened)}", CookieIn(opened), function);
    }

    public static string StateIn(APIGatewayHttpApiV2ProxyResponse opened) =>
        FormBody.Parse(Encoding.ASCII.GetBytes(new Uri(opened.Headers!["Location"]).Query[1..])).TryGet("state", out var state)
            ? state
            : throw new InvalidOperationException("There is no state.");

    public static string CookieIn(APIGatewayHttpApiV2ProxyResponse opened) => Assert.Single(opened.Cookies!).Split(';')[0];

    private Task<APIGatewayHttpApiV2ProxyResponse> GetAsync(string path, string query, string? cookie, SlackInstallationFunction? function)
    {
        var http = SlackFixture.Event("GET", path, headers: new() { ["x-origin-verify"] = SlackFixture.Origin }, query: query);
        http.Cookies = cookie is null ? null : [cookie];
        return (function ?? NewFunction()).RouteAsync(http, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(10) });
    }

    private sealed class Exchange(Installer installer) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("https://slack.com/api/oauth.v2.access", request.RequestUri!.AbsoluteUri);
            installer.Exchanges.Add(await request.Content!.ReadAsStringAsync(cancellationToken));
            return new((HttpStatusCode)installer.Status) { Content = new StringContent(installer.Answer) };
        }
    }
}

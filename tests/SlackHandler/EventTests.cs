using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.Tenants;
using ControlPlane.Tests.SlackHandler.Installation;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>What Slack says of its own accord, and what somebody else says in its name.</summary>
public sealed class EventTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private readonly Installer _installer = new(world);

    [Fact]
    public async Task Slacks_challenge_is_answered_where_it_is_signed()
    {
        var body = """{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}""";
        var answer = await SendAsync(Post(body));
        Assert.Equal((200, """{"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}"""), (answer.StatusCode, answer.Body));
        Assert.Equal(401, (await SendAsync(Post(body, secret: "wrong"))).StatusCode);
    }

    [Theory]
    [InlineData("""{"type":"app_uninstalled"}""", true)]
    [InlineData("""{"type":"tokens_revoked","tokens":{"oauth":["U1"],"bot":["UBOT"]}}""", true)]
    [InlineData("""{"type":"tokens_revoked","tokens":{"oauth":["U1"]}}""", false)]
    [InlineData("""{"type":"tokens_revoked","tokens":{"oauth":["U1"],"bot":[]}}""", false)]
    [InlineData("""{"type":"team_rename","name":"x"}""", false)]
    public async Task The_end_of_the_app_or_of_its_token_ends_the_links_token(string inner, bool ends)
    {
        var workspace = await InstalledAsync();
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await SendAsync(Post(EventOf(workspace.TeamId, inner)))).StatusCode);
        Assert.Equal(ends, await TokenAsync(workspace) is null);
        Assert.Equal(
            ends ? ["slack.install", "slack.uninstall"] : ["slack.install"], (await world.RecordsAsync(workspace.Tenant)).Select(one => one.Action));
        Assert.Equal(workspace.Tenant, await world.Registry.OfSlackAsync(TeamId.Parse(workspace.TeamId), SlackFixture.Cancel));
        Assert.Equal(200, (await SendAsync(Post(EventOf(workspace.TeamId, inner)))).StatusCode);
    }

    [Theory]
    [InlineData("""{"type":"app_home_opened","user":"U1","channel":"D1","tab":"home"}""", true)]
    [InlineData("""{"type":"app_home_opened","user":"U1","channel":"D1","tab":"messages"}""", false)]
    [InlineData("""{"type":"app_home_opened","user":"<@U1>","tab":"home"}""", false)]
    public async Task Whoever_opens_the_home_finds_it_filled(string inner, bool isPublished)
    {
        var workspace = await InstalledAsync();
        var before = world.Slack.To("views.publish").Count();
        Assert.Equal(200, (await SendAsync(Post(EventOf(workspace.TeamId, inner)))).StatusCode);
        Assert.Equal(before + (isPublished ? 1 : 0), world.Slack.To("views.publish").Count());
    }

    [Fact]
    public async Task A_word_that_was_long_on_its_way_does_not_end_what_was_installed_since()
    {
        var workspace = await InstalledAsync();
        var before = world.Clock.Now.AddMinutes(-1);
        Assert.Equal(200, (await SendAsync(Post(EventOf(workspace.TeamId, """{"type":"app_uninstalled"}""", before)))).StatusCode);
        Assert.NotNull(await TokenAsync(workspace));
    }

    [Fact]
    public async Task Of_an_organisation_the_organisations_token_ends()
    {
        var workspace = await world.NewWorkspaceAsync();
        var organisation = "E" + workspace.TeamId[1..];
        _installer.Answer = Installer.AnswerFor(workspace.TeamId, organisation);
        await _installer.InstallAsync(await _installer.InviteAsync(workspace.Tenant));
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        var body = JsonNode.Parse(EventOf(workspace.TeamId, """{"type":"app_uninstalled"}"""))!;
        body["authorizations"] = new JsonArray(new JsonObject { ["enterprise_id"] = organisation, ["team_id"] = null, ["is_enterprise_install"] = true });
        Assert.Equal(200, (await SendAsync(Post(body.ToJsonString()))).StatusCode);
        Assert.Null(await TokenAsync(workspace));
    }

    [Fact]
    public async Task Nobody_but_Slack_ends_a_token()
    {
        var workspace = await InstalledAsync();
        world.Clock.Advance(TimeSpan.FromMinutes(10));
        var body = EventOf(workspace.TeamId, """{"type":"app_uninstalled"}""");
        var unsigned = Post(body);
        unsigned.Headers!.Remove("x-slack-signature");
        var direct = Post(body);
        direct.Headers!.Remove("x-origin-verify");
        var changed = Post(body);
        changed.Body = Convert.ToBase64String(Encoding.UTF8.GetBytes(body.Replace("T", "T ", StringComparison.Ordinal)));
        var form = Post(body);
        form.Headers!["content-type"] = "application/x-www-form-urlencoded";
        Assert.Equal(401, (await SendAsync(unsigned)).StatusCode);
        Assert.Equal(401, (await SendAsync(Post(body, secret: "wrong"))).StatusCode);
        Assert.Equal(401, (await SendAsync(Post(body, at: world.Clock.Now.AddSeconds(-301)))).StatusCode);
        Assert.Equal(401, (await SendAsync(Post(body, at: world.Clock.Now.AddSeconds(301)))).StatusCode);
        Assert.Equal(401, (await SendAsync(changed)).StatusCode);
        Assert.Equal(403, (await SendAsync(direct)).StatusCode);
        Assert.Equal(415, (await SendAsync(form)).StatusCode);
        Assert.Equal(413, (await SendAsync(Post(body + new string(' ', 64 * 1024)))).StatusCode);
        Assert.NotNull(await TokenAsync(workspace));
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("[]", 400)]
    [InlineData("""{"type":5}""", 400)]
    [InlineData("""{"type":"url_verification"}""", 400)]
    [InlineData("""{"type":"event_callback","type":"event_callback"}""", 400)]
    [InlineData("""{"type":"event_callback"}""", 200)]
    [InlineData("""{"type":"event_callback","team_id":"T1","event_time":"now","event":{"type":"app_uninstalled"}}""", 200)]
    [InlineData("""{"type":"event_callback","team_id":"t/1","event_time":1,"event":{"type":"app_uninstalled"}}""", 200)]
    [InlineData("""{"type":"event_callback","team_id":"T1","event_time":99999999999999,"event":{"type":"app_uninstalled"}}""", 200)]
    [InlineData("""{"type":"app_rate_limited","team_id":"T1"}""", 200)]
    public async Task What_Slack_signs_and_nobody_understands_does_nothing(string body, int status) =>
        Assert.Equal(status, (await SendAsync(Post(body))).StatusCode);

    private static string EventOf(string team, string inner, DateTimeOffset at) => new JsonObject
    {
        ["token"] = "XXYYZZ",
        ["team_id"] = team,
        ["api_app_id"] = "AXXXXXXXXX",
        ["event"] = JsonNode.Parse(inner),
        ["type"] = "event_callback",
        ["event_id"] = "EvXXXXXXXX",
        ["event_time"] = at.ToUnixTimeSeconds(),
    }.ToJsonString();

    private string EventOf(string team, string inner) => EventOf(team, inner, world.Clock.Now);

    private async Task<Workspace> InstalledAsync()
    {
        var workspace = await world.NewWorkspaceAsync();
        _installer.Answer = Installer.AnswerFor(workspace.TeamId);
        Assert.Equal(200, (await _installer.InstallAsync(await _installer.InviteAsync(workspace.Tenant))).StatusCode);
        return workspace;
    }

    private Task<BotToken?> TokenAsync(Workspace workspace) =>
        new BotTokens(world.Installations, world.Secret()).FindAsync(workspace.Tenant, Requesters.OfSlack(workspace.TeamId), SlackFixture.Cancel);

    private Task<APIGatewayHttpApiV2ProxyResponse> SendAsync(APIGatewayHttpApiV2ProxyRequest http) =>
        _installer.NewEventsFunction().AnswerAsync(http, SlackFixture.Context);

    private APIGatewayHttpApiV2ProxyRequest Post(string json, string secret = SlackFixture.SigningSecret, DateTimeOffset? at = null)
    {
        var body = Encoding.UTF8.GetBytes(json);
        var timestamp = (at ?? world.Clock.Now).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return SlackFixture.Event("POST", "/slack/events", body, new()
        {
            ["content-type"] = "application/json",
            ["x-slack-request-timestamp"] = timestamp,
            ["x-slack-signature"] = SlackFixture.Sign(body, timestamp, secret),
            ["x-origin-verify"] = SlackFixture.Origin,
        });
    }
}

using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler.Installation;

/// <summary>From a tenant's link to a workspace that speaks for it, and everything that must not get there.</summary>
public sealed class InstallationTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private readonly Installer _installer = new(world);

    [Fact]
    public async Task A_link_leads_to_Slack_and_back_and_the_workspace_speaks_for_its_tenant()
    {
        var (tenant, team) = await NewTenantAsync();
        var ticket = await _installer.InviteAsync(tenant);
        _installer.Answer = Installer.AnswerFor(team);

        var opened = await _installer.OpenAsync(ticket.Text);
        Assert.Equal(302, opened.StatusCode);
        var consent = new Uri(opened.Headers!["Location"]);
        Assert.Equal("https://slack.com/oauth/v2/authorize", consent.GetLeftPart(UriPartial.Path));
        Assert.Equal(
            $"client_id={SlackFixture.ClientId}&scope=commands%2Cchat%3Awrite%2Cim%3Awrite&state={Installer.StateIn(opened)}&redirect_uri=https%3A%2F%2Fapi.example.com%2Fslack%2Foauth_redirect",
            consent.Query[1..]);
        Assert.Matches(
            "^__Host-slack-install=[A-Za-z0-9_-]{22}; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$", Assert.Single(opened.Cookies!));

        var page = await _installer.ReturnAsync($"code={Installer.Code}&state={Installer.StateIn(opened)}", Installer.CookieIn(opened));
        Assert.Equal(200, page.StatusCode);
        Assert.Contains("/wf help", page.Body, StringComparison.Ordinal);
        Assert.Contains("Pickles &amp; &lt;b&gt;Co&lt;/b&gt;", page.Body, StringComparison.Ordinal);
        Assert.Equal($"code={Installer.Code}&redirect_uri=https%3A%2F%2Fapi.example.com%2Fslack%2Foauth_redirect", Assert.Single(_installer.Exchanges));
        Assert.Equal(tenant, await world.Registry.OfSlackAsync(TeamId.Parse(team), SlackFixture.Cancel));
        Assert.Equal(Installer.Token, (await TokenAsync(tenant, team))?.Value);
    }

    [Fact]
    public async Task No_answer_is_kept_framed_indexed_or_told_to_the_next_site()
    {
        var (tenant, team) = await NewTenantAsync();
        _installer.Answer = Installer.AnswerFor(team);
        var ticket = await _installer.InviteAsync(tenant);
        var opened = await _installer.OpenAsync(ticket.Text);
        APIGatewayHttpApiV2ProxyResponse[] answers =
            [opened, await _installer.ReturnAsync($"code=c&state={Installer.StateIn(opened)}", Installer.CookieIn(opened)), await _installer.OpenAsync("none")];
        Assert.Equal([302, 200, 410], answers.Select(answer => answer.StatusCode));
        Assert.All(answers, answer => Assert.Equal(
            ("no-store", "no-referrer", "nosniff", "noindex, nofollow"),
            (answer.Headers!["Cache-Control"], answer.Headers["Referrer-Policy"], answer.Headers["X-Content-Type-Options"], answer.Headers["X-Robots-Tag"])));
        Assert.All(answers[1..], answer =>
        {
            Assert.StartsWith("default-src 'none'; style-src 'sha256-", answer.Headers!["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.DoesNotContain("<script", answer.Body, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_style_of_the_page_is_the_one_that_its_policy_admits()
    {
        var page = await _installer.OpenAsync("none");
        var style = page.Body!.Split("<style>")[1].Split("</style>")[0];
        var hash = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(style)));
        Assert.Contains($"'sha256-{hash}'", page.Headers!["Content-Security-Policy"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_organisations_installation_speaks_for_the_tenant_in_all_its_workspaces()
    {
        var (tenant, team) = await NewTenantAsync();
        var organisation = "E" + team[1..];
        _installer.Answer = Installer.AnswerFor(team, organisation);
        Assert.Equal(200, (await _installer.InstallAsync(await _installer.InviteAsync(tenant))).StatusCode);
        Assert.Equal(tenant, await world.Registry.OfSlackAsync(TeamId.Parse(organisation), SlackFixture.Cancel));
        Assert.Null(await world.Registry.OfSlackAsync(TeamId.Parse(team), SlackFixture.Cancel));
        Assert.Equal(Installer.Token, (await TokenAsync(tenant, "TANY"))?.Value);
    }

    [Fact]
    public async Task A_new_installation_takes_the_place_of_the_one_before()
    {
        var (tenant, team) = await NewTenantAsync();
        _installer.Answer = Installer.AnswerFor(team);
        await _installer.InstallAsync(await _installer.InviteAsync(tenant));
        _installer.Answer = Installer.AnswerFor(team, token: "xoxb-the-newer-one");
        Assert.Equal(200, (await _installer.InstallAsync(await _installer.InviteAsync(tenant))).StatusCode);
        Assert.Equal("xoxb-the-newer-one", (await TokenAsync(tenant, team))?.Value);
    }

    [Fact]
    public async Task A_workspace_that_was_linked_by_hand_gets_its_token_and_keeps_its_tenant()
    {
        var workspace = await world.NewWorkspaceAsync();
        _installer.Answer = Installer.AnswerFor(workspace.TeamId);
        Assert.Equal(200, (await _installer.InstallAsync(await _installer.InviteAsync(workspace.Tenant))).StatusCode);
        Assert.NotNull(await TokenAsync(workspace.Tenant, workspace.TeamId));
    }

    [Fact]
    public async Task A_workspace_of_another_tenant_is_refused_and_nothing_of_it_changes()
    {
        var (tenant, _) = await NewTenantAsync();
        var other = await world.NewWorkspaceAsync();
        var ticket = await _installer.InviteAsync(tenant);
        _installer.Answer = Installer.AnswerFor(other.TeamId);

        var page = await _installer.InstallAsync(ticket);
        Assert.Equal(409, page.StatusCode);
        Assert.Equal(other.Tenant, await world.Registry.OfSlackAsync(TeamId.Parse(other.TeamId), SlackFixture.Cancel));
        Assert.Null(await TokenAsync(other.Tenant, other.TeamId));
        Assert.Null(await TokenAsync(tenant, other.TeamId));
        // He chose the wrong workspace: the link still works for the right one.
        Assert.Equal(302, (await _installer.OpenAsync(ticket.Text)).StatusCode);
    }

    [Fact]
    public async Task A_link_works_once()
    {
        var (tenant, team) = await NewTenantAsync();
        _installer.Answer = Installer.AnswerFor(team);
        var ticket = await _installer.InviteAsync(tenant);
        Assert.Equal(200, (await _installer.InstallAsync(ticket)).StatusCode);
        await AssertAsksForNewLinkAsync(_installer.OpenAsync(ticket.Text));
    }

    [Fact]
    public async Task Of_two_browsers_with_one_link_the_first_to_come_back_installs()
    {
        var (tenant, team) = await NewTenantAsync();
        var ticket = await _installer.InviteAsync(tenant);
        var (one, other) = (await _installer.OpenAsync(ticket.Text), await _installer.OpenAsync(ticket.Text));
        _installer.Answer = Installer.AnswerFor(team);
        Assert.Equal(200, (await _installer.ReturnAsync($"code=c&state={Installer.StateIn(one)}", Installer.CookieIn(one))).StatusCode);

        _installer.Answer = Installer.AnswerFor("TANOTHER");
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync($"code=c&state={Installer.StateIn(other)}", Installer.CookieIn(other)));
        Assert.Null(await world.Registry.OfSlackAsync(TeamId.Parse("TANOTHER"), SlackFixture.Cancel));
    }

    [Fact]
    public async Task A_link_is_good_for_seven_days_and_not_a_second_longer()
    {
        var (tenant, _) = await NewTenantAsync();
        var (old, older) = (
            await _installer.InviteAsync(tenant, TimeSpan.FromDays(7) - TimeSpan.FromSeconds(1)), await _installer.InviteAsync(tenant, TimeSpan.FromDays(7)));
        Assert.Equal(302, (await _installer.OpenAsync(old.Text)).StatusCode);
        await AssertAsksForNewLinkAsync(_installer.OpenAsync(older.Text));
    }

    [Fact]
    public async Task A_link_that_was_withdrawn_installs_nothing_even_when_its_browser_is_at_Slack_already()
    {
        var (tenant, team) = await NewTenantAsync();
        var ticket = await _installer.InviteAsync(tenant);
        var opened = await _installer.OpenAsync(ticket.Text);
        Assert.Equal(ChangeResult.Made, await world.Installations.WithdrawAsync(tenant, ticket.Hash, world.Tables.Auditor, SlackFixture.Cancel));
        _installer.Answer = Installer.AnswerFor(team);
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync($"code=c&state={Installer.StateIn(opened)}", Installer.CookieIn(opened)));
        Assert.Empty(_installer.Exchanges);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAB")]          // bits beyond the 128
    [InlineData("AAAAAAAAAAAAAAAAAAAAAA%0a")]
    [InlineData("../oauth_redirect")]
    public async Task What_is_no_ticket_is_answered_as_one_that_is_used(string ticket) => await AssertAsksForNewLinkAsync(_installer.OpenAsync(ticket));

    [Fact]
    public async Task A_state_works_once_within_ten_minutes_in_the_browser_that_it_was_given_to()
    {
        var (tenant, team) = await NewTenantAsync();
        _installer.Answer = Installer.AnswerFor(team);
        var ticket = await _installer.InviteAsync(tenant);
        var (one, other) = (await _installer.OpenAsync(ticket.Text), await _installer.OpenAsync(ticket.Text));
        var (state, cookie) = (Installer.StateIn(one), Installer.CookieIn(one));

        await AssertAsksForNewLinkAsync(_installer.ReturnAsync("code=c", cookie));
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync("code=c&state=", cookie));
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync($"code=c&state={state}&state={state}", cookie));
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync($"code=c&state={OneTimeCode.Make().Text}", cookie));
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync($"code=c&state={state}", cookie: null));
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync($"code=c&state={state}", Installer.CookieIn(other)));
        Assert.Empty(_installer.Exchanges);

        world.Clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        _installer.Answer = """{"ok":false,"error":"invalid_code"}""";
        Assert.Equal(502, (await _installer.ReturnAsync($"code=c&state={state}", cookie)).StatusCode);
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync($"code=c&state={state}", cookie));
        Assert.Single(_installer.Exchanges);

        world.Clock.Advance(TimeSpan.FromSeconds(1));
        await AssertAsksForNewLinkAsync(_installer.ReturnAsync($"code=c&state={Installer.StateIn(other)}", Installer.CookieIn(other)));
        Assert.Null(await world.Registry.OfSlackAsync(TeamId.Parse(team), SlackFixture.Cancel));
    }

    [Fact]
    public async Task A_browser_that_opens_the_link_in_two_tabs_may_come_back_in_either()
    {
        var (tenant, team) = await NewTenantAsync();
        _installer.Answer = Installer.AnswerFor(team);
        var ticket = await _installer.InviteAsync(tenant);
        var first = await _installer.OpenAsync(ticket.Text);
        var second = await _installer.OpenAsync(ticket.Text, Installer.CookieIn(first));
        Assert.Equal(200, (await _installer.ReturnAsync($"code=c&state={Installer.StateIn(first)}", Installer.CookieIn(second))).StatusCode);
    }

    [Fact]
    public async Task Who_declines_at_Slack_is_told_that_nothing_changed_and_may_open_the_link_again()
    {
        var (tenant, _) = await NewTenantAsync();
        var ticket = await _installer.InviteAsync(tenant);
        var opened = await _installer.OpenAsync(ticket.Text);
        var page = await _installer.ReturnAsync($"error=access_denied&state={Installer.StateIn(opened)}", Installer.CookieIn(opened));
        Assert.Equal(200, page.StatusCode);
        Assert.Contains("declined", page.Body, StringComparison.Ordinal);
        Assert.Empty(_installer.Exchanges);
        Assert.Equal(302, (await _installer.OpenAsync(ticket.Text)).StatusCode);
    }

    [Theory]
    [InlineData(200, """{"ok":false,"error":"invalid_code"}""")]
    [InlineData(200, """{"ok":true,"access_token":"xoxp-1"}""")]
    [InlineData(200, "<html>")]
    [InlineData(429, "")]
    [InlineData(503, "")]
    public async Task Where_Slack_gives_no_token_the_link_may_be_opened_again(int status, string answer)
    {
        var (tenant, team) = await NewTenantAsync();
        var ticket = await _installer.InviteAsync(tenant);
        (_installer.Status, _installer.Answer) = (status, answer);
        var page = await _installer.InstallAsync(ticket);
        Assert.Equal(502, page.StatusCode);

        (_installer.Status, _installer.Answer) = (200, Installer.AnswerFor(team));
        Assert.Equal(200, (await _installer.InstallAsync(ticket)).StatusCode);
    }

    [Fact]
    public async Task A_tenant_that_is_removed_meanwhile_gets_no_workspace()
    {
        var (tenant, team) = await NewTenantAsync();
        var ticket = await _installer.InviteAsync(tenant);
        _installer.Answer = Installer.AnswerFor(team);
        await new Aws.TenantAdministration(world.Tables.Client, world.Tables.Tenants, world.Tables.Auditor, world.Clock)
            .RemoveAsync(tenant, SlackFixture.Cancel);
        await AssertAsksForNewLinkAsync(_installer.InstallAsync(ticket));
        Assert.Null(await world.Registry.OfSlackAsync(TeamId.Parse(team), SlackFixture.Cancel));
    }

    [Theory]
    [InlineData("client_id", "client_secret")]
    [InlineData("bot_token_key", "bot_token_key")]
    public async Task Without_the_apps_credentials_nobody_is_sent_to_Slack(string one, string other)
    {
        var (tenant, _) = await NewTenantAsync();
        var secrets = new KeptSecrets();
        var text = System.Text.Json.Nodes.JsonNode.Parse(SlackFixture.SecretText(SlackFixture.SigningSecret))!.AsObject();
        text.Remove(one);
        text.Remove(other);
        secrets.Put("v1", text.ToJsonString(), SlackFixture.Start);
        var page = await _installer.OpenAsync((await _installer.InviteAsync(tenant)).Text, function: _installer.NewFunction(world.Secret(secrets)));
        Assert.Equal(503, page.StatusCode);
    }

    [Fact]
    public async Task Nothing_is_read_for_who_did_not_come_through_the_origin()
    {
        var http = SlackFixture.Event("GET", $"/slack/install/{OneTimeCode.Make().Text}");
        Assert.Equal(403, (await _installer.NewFunction().RouteAsync(http, SlackFixture.Context)).StatusCode);
        http = SlackFixture.Event("GET", "/slack/oauth_redirect", query: "code=c&state=s");
        Assert.Equal(403, (await _installer.NewFunction().RouteAsync(http, SlackFixture.Context)).StatusCode);
    }

    [Fact]
    public async Task No_ticket_state_code_cookie_or_token_is_logged_or_kept()
    {
        var (tenant, team) = await NewTenantAsync();
        _installer.Answer = Installer.AnswerFor(team);
        var ticket = await _installer.InviteAsync(tenant);
        var opened = await _installer.OpenAsync(ticket.Text);
        var (state, cookie) = (Installer.StateIn(opened), Installer.CookieIn(opened).Split('=')[1]);
        var during = string.Join('\n', await world.StateAsync());
        await _installer.ReturnAsync($"code={Installer.Code}&state={state}", Installer.CookieIn(opened));
        await _installer.ReturnAsync($"code={Installer.Code}&state={state}", Installer.CookieIn(opened));
        _installer.Status = 500;
        await _installer.InstallAsync(await _installer.InviteAsync(tenant));

        var left = string.Join('\n', [during, .. await world.StateAsync(), world.LogText]);
        Assert.Contains(team, world.LogText, StringComparison.Ordinal);
        foreach (var secret in new[] { ticket.Text, state, cookie, Installer.Code, Installer.Token, SlackFixture.ClientSecret })
            Assert.DoesNotContain(secret, left, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("https://slack.example.com")]
    [InlineData("slack.com")]
    public void A_browser_is_sent_to_Slack_or_to_this_machine(string url) =>
        Assert.Throws<Configuration.SettingException>(() => new SlackPlaces(new Uri("https://api.example.com"), url));

    private async Task<(TenantId Tenant, string Team)> NewTenantAsync()
    {
        // A workspace that nobody has linked yet, for a tenant that has another.
        var workspace = await world.NewWorkspaceAsync();
        return (workspace.Tenant, $"T{Random.Shared.NextInt64(1_000_000_000, 9_999_999_999)}");
    }

    private Task<BotToken?> TokenAsync(TenantId tenant, string team) =>
        new BotTokens(world.Installations, world.Secret()).FindAsync(tenant, Requesters.OfSlack(team), SlackFixture.Cancel);

    private static async Task AssertAsksForNewLinkAsync(Task<APIGatewayHttpApiV2ProxyResponse> answer)
    {
        var page = await answer;
        Assert.Equal(410, page.StatusCode);
        Assert.Contains("for a new link", page.Body, StringComparison.Ordinal);
        Assert.Null(page.Cookies);
    }
}

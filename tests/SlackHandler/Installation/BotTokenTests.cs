using ControlPlane.Slack;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler.Installation;

/// <summary>Bot tokens at rest: whose they are, and who can open them.</summary>
public sealed class BotTokenTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private const string Value = SlackFixture.BotTokenText;

    private BotTokens Tokens => new(world.Installations, world.Secret());

    [Fact]
    public async Task A_token_is_found_by_its_workspace_and_tenant_alone()
    {
        var (workspace, other) = (await world.NewWorkspaceAsync(), await world.NewWorkspaceAsync());
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);

        Assert.Equal(Value, (await Tokens.FindAsync(workspace.Tenant, Requesters.OfSlack(workspace.TeamId), SlackFixture.Cancel))?.Value);
        Assert.Null(await Tokens.FindAsync(other.Tenant, Requesters.OfSlack(workspace.TeamId), SlackFixture.Cancel));
        Assert.Null(await Tokens.FindAsync(other.Tenant, Requesters.OfSlack(other.TeamId), SlackFixture.Cancel));
        Assert.DoesNotContain(await world.StateAsync(), item => item.Contains(Value, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sealed_token_that_is_copied_to_another_workspace_does_not_open_there()
    {
        var (workspace, other) = (await world.NewWorkspaceAsync(), await world.NewWorkspaceAsync());
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        var kept = (await world.Installations.FindTokenAsync(workspace.Tenant, TeamId.Parse(workspace.TeamId), null, SlackFixture.Cancel))!;
        await world.InstallAsync(other.TeamId, other.Tenant, kept.Sealed);

        Assert.Null(await Tokens.FindAsync(other.Tenant, Requesters.OfSlack(other.TeamId), SlackFixture.Cancel));
    }

    [Fact]
    public async Task An_organisations_token_speaks_in_each_of_its_workspaces()
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync("E" + workspace.TeamId[1..], workspace.Tenant);
        Assert.Equal(Value, (await Tokens.FindAsync(workspace.Tenant, Requesters.OfSlack(workspace.TeamId), SlackFixture.Cancel))?.Value);
        Assert.Equal(Value, (await Tokens.FindAsync(workspace.Tenant, Requesters.OfSlack("TNEVERSEEN"), SlackFixture.Cancel))?.Value);
    }

    [Fact]
    public async Task Of_two_organisations_each_is_spoken_to_with_its_own_token()
    {
        var workspace = await world.NewWorkspaceAsync();
        var (one, other) = (TeamId.Parse("E1" + workspace.TeamId[1..]), TeamId.Parse("E2" + workspace.TeamId[1..]));
        await world.InstallAsync(one.ToString(), workspace.Tenant);
        await world.InstallAsync(other.ToString(), workspace.Tenant, text: "xoxb-the-other");

        async Task<string?> FoundAsync(string team, TeamId? organisation) =>
            (await Tokens.FindAsync(workspace.Tenant, Requesters.OfSlack(team) with { OrganisationId = organisation }, SlackFixture.Cancel))?.Value;
        Assert.Equal(Value, await FoundAsync("TONE", one));
        Assert.Equal("xoxb-the-other", await FoundAsync("TTWO", other));
        Assert.Null(await FoundAsync("TONE", TeamId.Parse("E3")));
        Assert.Null(await FoundAsync("TONE", null));        // Slack did not say which: rather none than a stranger's
    }

    [Fact]
    public async Task Slacks_word_of_an_end_takes_the_token_unless_it_is_newer_than_the_word()
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);

        Assert.Equal(
            ChangeResult.NothingThere,
            await world.Installations.EndTokenAsync(TeamId.Parse(workspace.TeamId), world.Clock.Now.AddSeconds(-1), world.Tables.Auditor, SlackFixture.Cancel));
        Assert.NotNull(await Tokens.FindAsync(workspace.Tenant, Requesters.OfSlack(workspace.TeamId), SlackFixture.Cancel));
        Assert.Equal(
            ChangeResult.Made,
            await world.Installations.EndTokenAsync(TeamId.Parse(workspace.TeamId), world.Clock.Now, world.Tables.Auditor, SlackFixture.Cancel));
        Assert.Null(await Tokens.FindAsync(workspace.Tenant, Requesters.OfSlack(workspace.TeamId), SlackFixture.Cancel));
        Assert.Equal(workspace.Tenant, await world.Registry.OfSlackAsync(TeamId.Parse(workspace.TeamId), SlackFixture.Cancel));
    }

    [Theory]
    [InlineData("xoxb-1", true)]
    [InlineData("xoxb-", false)]
    [InlineData("xoxp-1", false)]
    [InlineData("xoxb-1 2", false)]
    [InlineData("xoxb-1\n", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_bot_token_looks_like_one(string? text, bool isOne) => Assert.Equal(isOne, BotToken.TryParse(text, out _));

    [Fact]
    public void A_token_prints_nothing_of_itself() => Assert.Equal("BotToken", BotToken.TryParse(Value, out var token) ? token.ToString() : null);
}

using System.Net;
using ControlPlane.Executions;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Flows.Simulated;

namespace ControlPlane.Tests.Flows;

/// <summary>Two tenants with a Slack workspace each, from the link to a result long after the command. All between Slack and the hub is HTTP.</summary>
public sealed class TwoWorkspacesTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_are_installed_run_cancel_run_again_and_hear_the_end_forty_minutes_later()
    {
        await using var world = await TwoWorkspaces.StartAsync(cloud);
        foreach (var (tenant, team) in Both)
        {
            var (status, page) = await world.InstallAsync(await world.InviteAsync(tenant), team);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Contains($"Workspace {team} is linked", page, StringComparison.Ordinal);
        }

        foreach (var (tenant, team) in Both)
        {
            // A run without what it needs opens a window, which asks for it.
            Assert.Null(await world.Slack.People.TypeAsync(team, "U1", "C1", $"run {TwoWorkspaces.Workflow}"));
            var window = Assert.Single(world.Slack.State.Views, view => view.Workspace.Id == team);
            var city = (string)window.Json["blocks"]!.AsArray().Single(block => (string?)block!["type"] == "input")!["block_id"]!;
            Assert.Equal([city], (await world.Slack.People.SubmitAsync(window, new Dictionary<string, string>()))!.Select(fault => fault.Key));
            Assert.Null(await world.Slack.People.SubmitAsync(window, new Dictionary<string, string> { [city] = "Paris" }));
            Assert.Contains($"Working on {TwoWorkspaces.Workflow}", Latest(world, team).Text, StringComparison.Ordinal);
            await world.WorkAsync();
            Assert.Equal(tenant.ToString(), (string?)world.Orders[^1]["tenant_id"]);
            Assert.Equal("Paris", (string?)world.Orders[^1]["inputs"]!["city"]);

            await world.Slack.People.PressAsync("U1", Latest(world, team), "cancel");
            await world.WorkAsync();
            Assert.Contains("was cancelled by @U1", Latest(world, team).Text, StringComparison.Ordinal);
            Assert.Equal(409, (await world.ReportAsync(world.Orders[^1], "succeeded")).StatusCode);

            await world.Slack.People.PressAsync("U1", Latest(world, team), "again");
            await world.WorkAsync();
        }

        world.Clock.Advance(TimeSpan.FromMinutes(40));
        var orders = world.Orders;
        Assert.Equal(4, orders.Count);
        foreach (var (order, (_, team)) in new[] { orders[1], orders[3] }.Zip(Both))
        {
            var before = world.Slack.State.Messages.Count;
            Assert.Equal(200, (await world.ReportAsync(
                order, "succeeded", ("result", new System.Text.Json.Nodes.JsonObject { ["summary"] = $"Warm days for {team}" }))).StatusCode);
            await world.WorkAsync();

            var told = Assert.Single(world.Slack.State.Messages.Skip(before));
            Assert.Equal((team, "DU1", "U1", "chat.postMessage"), (told.Workspace.Id, told.Place, told.OnlyFor, told.By));
            Assert.Contains($"{TwoWorkspaces.Workflow} succeeded", told.Text, StringComparison.Ordinal);
            Assert.Contains($"Warm days for {team}", told.Text, StringComparison.Ordinal);
            var execution = (await world.Executions.FindAsync(ExecutionId.Parse((string)order["execution_id"]!), Cancel))!;
            Assert.True(execution is { ToldAt: not null, IsUntellable: false });
        }

        // Nobody sees another tenant's, and nothing secret was logged.
        var theirs = await world.Slack.People.TypeAsync("T0007", "U1", "C1", $"status {orders[1]["execution_id"]}");
        Assert.Contains("There is no such execution", theirs!.Text, StringComparison.Ordinal);
        foreach (var secret in (string[])["xoxb-", "d0c1-of-the-app", "/commands/T", "/actions/T", (string)orders[0]["callback"]!["token"]!])
            Assert.DoesNotContain(secret, world.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_engine_says_of_its_progress_is_one_message_that_changes()
    {
        await using var world = await TwoWorkspaces.StartAsync(cloud);
        await world.InstallAsync(await world.InviteAsync(TwoWorkspaces.One), "T0043");
        await world.Slack.People.TypeAsync("T0043", "U1", "C1", $"run {TwoWorkspaces.Workflow} city=Paris");
        await world.WorkAsync();
        for (var percent = 10; percent < 100; percent += 10, world.Clock.Advance(TimeSpan.FromSeconds(20)))
        {
            Assert.Equal(200, (await world.ReportAsync(world.Orders[0], "running", ("progress", percent))).StatusCode);
            await world.WorkAsync();
        }
        var shown = Assert.Single(world.Slack.State.Messages, message => message.IsOfBot);
        Assert.Contains("is running: ", shown.Text, StringComparison.Ordinal);
        Assert.InRange(shown.Changes, 2, 3);       // three minutes

        await world.ReportAsync(world.Orders[0], "succeeded");
        await world.WorkAsync();
        Assert.Contains("succeeded", Assert.Single(world.Slack.State.Messages, message => message.IsOfBot).Text, StringComparison.Ordinal);
        Assert.Contains("succeeded", Latest(world, "T0043").Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_leads_one_workspace_to_one_tenant_and_no_other()
    {
        await using var world = await TwoWorkspaces.StartAsync(cloud);
        var link = await world.InviteAsync(TwoWorkspaces.One);
        Assert.Contains("You declined", (await world.InstallAsync(link, team: null)).Page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Gone, (await world.InstallAsync(link, "T0043", withCookie: false)).Status);
        Assert.Equal(HttpStatusCode.OK, (await world.InstallAsync(link, "T0043")).Status);
        Assert.Equal(HttpStatusCode.Gone, (await world.InstallAsync(link, "T0043")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await world.InstallAsync(await world.InviteAsync(TwoWorkspaces.Other), "T0043")).Status);
        Assert.Contains("not connected", (await world.Slack.People.TypeAsync("T0007", "U1", "C1", "help"))!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_workspace_that_removes_the_app_is_written_to_no_more_until_it_is_installed_again()
    {
        await using var world = await TwoWorkspaces.StartAsync(cloud);
        await world.InstallAsync(await world.InviteAsync(TwoWorkspaces.One), "T0043");
        await world.Slack.People.OpenHomeAsync("T0043", "U1");
        Assert.Equal("home", (string?)Assert.Single(world.Slack.State.Views).Json["type"]);

        await world.Slack.People.UninstallAsync("T0043");
        Assert.Null(await world.Installations.FindTokenAsync(TwoWorkspaces.One, TeamId.Parse("T0043"), null, Cancel));
        Assert.Contains("city", (await world.Slack.People.TypeAsync("T0043", "U1", "C1", $"run {TwoWorkspaces.Workflow}"))!.Text, StringComparison.Ordinal);

        world.Clock.Advance(TimeSpan.FromSeconds(1));
        await world.InstallAsync(await world.InviteAsync(TwoWorkspaces.One), "T0043");
        Assert.Null(await world.Slack.People.TypeAsync("T0043", "U1", "C1", $"run {TwoWorkspaces.Workflow}"));
    }

    private static IEnumerable<(TenantId Tenant, string Team)> Both => [(TwoWorkspaces.One, "T0043"), (TwoWorkspaces.Other, "T0007")];

    private static ShownMessage Latest(TwoWorkspaces world, string team) => world.Slack.State.Messages.Last(message => message.Workspace.Id == team);
}

using System.Text.Json.Nodes;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace ControlPlane.Tests.Browser;

// Each class has a hub and a browser of its own: one collection, one after the other.
[Collection("browser")]
[Trait("Length", "long")]
public sealed class PanelTests(PanelInBrowser panel) : IClassFixture<PanelInBrowser>
{
    private const string Tenant = "/tenants/tenant-43";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_does_a_whole_tenants_life_and_the_audit_tells_it()
    {
        await using var visit = await panel.VisitAsync(who: null);
        await visit.OpenAsync("/");
        await visit.PressAsync(visit.Page.GetByRole(AriaRole.Link, new() { Name = "operator", Exact = true }));
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Tenants", Exact = true }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "tenant-43" }).First.ClickAsync();
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("tenant-43");

        await visit.PressAsync(visit.Button("Invite a workspace"));
        Assert.Contains("/slack/install/", await visit.TextAsync());
        await visit.PressAsync(visit.Button("Invite a machine"));
        Assert.Contains("--enrol", await visit.TextAsync());

        await visit.Page.GetByText("Publish a workflow").ClickAsync();
        await visit.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("wf_panel");
        await visit.Page.GetByLabel("Parameters, one a line").FillAsync("city:string");
        await visit.PressAsync(visit.Button("Publish"));
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The workflow is published.");

        // Watched live: the page was opened while it ran, and nobody reloads it.
        var execution = await panel.OrderAsync("run wf_panel city=Paris");
        await visit.OpenAsync($"/executions/ordered/{execution}");
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync($"Execution {execution.Short}", new() { Timeout = 60_000 });
        await Assertions.Expect(visit.Page.Locator("#execution .badge").First).ToHaveTextAsync("SUCCEEDED", new() { Timeout = 90_000 });
        await visit.PressAsync(visit.Button("Run again"));
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Execution ", new() { Timeout = 60_000 });
        await Assertions.Expect(visit.Page.Locator("#execution .badge").First).ToHaveTextAsync("SUCCEEDED", new() { Timeout = 90_000 });

        await visit.OpenAsync(Tenant);
        await visit.Page.GetByLabel("Executions a month").FillAsync("2000");
        await visit.PressAsync(visit.Button("Change"));
        await Assertions.Expect(visit.Page.GetByLabel("Executions a month")).ToHaveValueAsync("2000");
        await visit.PressAsync(visit.Button("Suspend"));
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("suspended");
        await visit.PressAsync(visit.Button("Resume"));
        await Assertions.Expect(visit.Button("Suspend")).ToBeVisibleAsync();

        await GiveUpAsync(execution);
        await visit.OpenAsync("/dead-letters");
        await visit.PressAsync(visit.Button("Send back to dispatch"));
        await Assertions.Expect(visit.Button("Send back to dispatch")).ToHaveCountAsync(0);

        await visit.OpenAsync(Tenant);
        await visit.Page.GetByLabel("To remove it for good, type its id").FillAsync("tenant-43");
        await visit.PressAsync(visit.Button("Remove"));
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The tenant is removed.");

        await visit.OpenAsync("/audit");
        var audit = await visit.TextAsync();
        Assert.All(
            ["slack.invite", "key.invite", "workflow.publish", "execution.start", "tenant.limits", "tenant.suspend", "tenant.resume", "dlq.redrive", "tenant.remove"],
            action => Assert.Contains(action, audit));
        Assert.Contains("operator@example.com", audit);
        Assert.Empty(visit.Complaints);
    }

    private async Task GiveUpAsync(ExecutionId execution)
    {
        using var sqs = panel.Local.QueueServer.NewClient();
        await sqs.SendMessageAsync(
            panel.Local.Queues["DispatchDeadLetters"].Url,
            new JsonObject { ["schema"] = "dispatch-request.v1", ["execution_id"] = $"{execution}", ["tenant_id"] = "tenant-43" }.ToJsonString(), Cancel);
    }
}

[Collection("browser")]
[Trait("Length", "long")]
public sealed class PanelLooksTests(FullPanelInBrowser panel) : IClassFixture<FullPanelInBrowser>
{
    private const string Tenant = "/tenants/tenant-43";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(390, ColorScheme.Light), InlineData(390, ColorScheme.Dark), InlineData(1280, ColorScheme.Light), InlineData(1280, ColorScheme.Dark)]
    public async Task Every_page_fits_its_window_and_axe_finds_nothing(int width, ColorScheme scheme)
    {
        await using var visit = await panel.VisitAsync("operator", new() { ViewportSize = new() { Width = width, Height = 800 }, ColorScheme = scheme });
        var execution = await RunAsync();
        foreach (var path in (string[])[.. Pages, $"/executions/{execution}", $"/executions/ordered/{ExecutionId.Of("T0001", "nobody's")}", .. await InstanceAsync()])
        {
            var answer = await visit.OpenAsync(path);
            Assert.Equal(path == "/no-such-page" ? 404 : 200, answer.Status);

            Assert.True(
                await visit.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
                $"{path} is wider than {width} px");
            var found = await visit.Page.RunAxe();
            Assert.Empty(found.Violations.Select(one => $"{path}: {one.Id}: {string.Join(" | ", one.Nodes.Select(node => node.Html))}"));
        }
        Assert.DoesNotContain(visit.Complaints, one => !one.Contains("404"));
    }

    [Fact]
    public async Task Without_scripts_the_pages_are_read_and_forms_work()
    {
        await using var visit = await panel.VisitAsync("operator", new() { JavaScriptEnabled = false });
        foreach (var path in Pages)
            Assert.True((await visit.OpenAsync(path)).Status < 500);

        await visit.OpenAsync(Tenant);
        await visit.PressAsync(visit.Button("Suspend"));
        await Assertions.Expect(visit.Button("Resume")).ToBeVisibleAsync();
        await visit.PressAsync(visit.Button("Resume"));
        await Assertions.Expect(visit.Button("Suspend")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task The_keyboard_alone_gets_everywhere_and_a_refresh_does_not_take_the_focus()
    {
        await using var visit = await panel.VisitAsync("operator");
        await visit.OpenAsync("/");
        await visit.Page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(visit.Page.GetByText("Skip to the page")).ToBeFocusedAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(visit.Page.Locator("main")).ToBeFocusedAsync();
        await visit.Page.Keyboard.PressAsync("Tab");
        var focused = await visit.Page.EvaluateAsync<string>("document.activeElement.textContent");

        await Task.Delay(TimeSpan.FromSeconds(12), Cancel);     // the overview refreshes itself every ten seconds

        Assert.Equal(focused, await visit.Page.EvaluateAsync<string>("document.activeElement.textContent"));
        await visit.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).Not.ToHaveTextAsync("Overview");
    }

    [Fact]
    public async Task Whatever_can_be_clicked_is_reached_by_the_tabulator_and_a_form_is_sent_by_the_enter_key()
    {
        await using var visit = await panel.VisitAsync("operator");
        foreach (var path in (string[])["/executions", Tenant, $"{Tenant}/usage", "/dead-letters", "/audit"])
        {
            await visit.OpenAsync(path);
            var there = await visit.Page.EvaluateAsync<int>(
                "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')].filter(one => one.checkVisibility()).length");
            var reached = 0;
            for (var presses = 0; presses < there + 40 && reached < there; presses++)
            {
                await visit.Page.Keyboard.PressAsync("Tab");
                reached = await visit.Page.EvaluateAsync<int>(
                    """
                    () => {
                        const one = document.activeElement;
                        if (one.matches('a[href], button, input, select, textarea, summary'))
                            one.dataset.reached = getComputedStyle(one).outlineStyle === 'none' ? 'unseen' : 'seen';
                        return document.querySelectorAll('[data-reached]').length;
                    }
                    """);
            }
            Assert.Equal((path, there), (path, reached));
            Assert.Equal((path, 0), (path, await visit.Page.Locator("[data-reached=unseen]").CountAsync()));
        }

        await visit.OpenAsync(Tenant);
        await visit.Button("Suspend").FocusAsync();
        await visit.SendAsync(() => visit.Page.Keyboard.PressAsync("Enter"));
        await Assertions.Expect(visit.Button("Resume")).ToBeVisibleAsync();
        await visit.Button("Resume").FocusAsync();
        await visit.SendAsync(() => visit.Page.Keyboard.PressAsync("Space"));
        await Assertions.Expect(visit.Button("Suspend")).ToBeVisibleAsync();
    }

    /// <summary>UPDATE_GOLDEN=1 takes them anew.</summary>
    [Fact]
    public async Task The_pictures_of_the_docs_are_there_and_small()
    {
        await using var visit = await panel.VisitAsync("operator", new() { ViewportSize = new() { Width = 1280, Height = 800 }, ColorScheme = ColorScheme.Light });
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            await TakePicturesAsync(visit);

        foreach (var (name, _) in Pictures)
        {
            var picture = await File.ReadAllBytesAsync(PictureOf(name), Cancel);
            Assert.Equal((name, 1280u), (name, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(picture.AsSpan(16))));
            Assert.InRange(picture.Length, 1, 150_000);
        }
    }

    /// <summary>By name, with how much of the page is shown: text fills a picture's bytes.</summary>
    private static readonly (string Name, int Height)[] Pictures = [("overview", 800), ("executions", 640), ("execution", 800), ("tenant", 800), ("audit", 500)];

    private static string PictureOf(string page) => Path.Combine(RepositoryRoot.Find(), "docs", "images", $"panel-{page}.png");

    private async Task TakePicturesAsync(Visit visit)
    {
        var execution = await RunAsync();
        await visit.OpenAsync("/tenants/tenant-12");
        await visit.Page.GetByLabel("Executions a month").FillAsync("2500");
        await visit.PressAsync(visit.Button("Change"));
        await visit.PressAsync(visit.Button("Invite a machine"));
        await visit.OpenAsync("/tenants/tenant-20");
        await visit.PressAsync(visit.Button("Suspend"));
        await visit.OpenAsync("/tenants/tenant-12");
        await visit.PressAsync(visit.Button("Invite a workspace"));
        await visit.OpenAsync("/tenants/tenant-31");
        await visit.Page.GetByLabel("Executions a month").FillAsync("0");
        await visit.PressAsync(visit.Button("Change"));
        var now = TimeProvider.System.GetUtcNow();
        await FullHub.WriteMachinesAsync(panel.Local.DynamoClient, panel.Local.Tables["InstancesTable"], now, Cancel, kept: DemoData.Tenant);
        for (var tries = 0; tries < 60; tries++)
        {
            await visit.OpenAsync("/");
            if (await visit.Page.EvaluateAsync<string?>("[...document.querySelectorAll('p')].find(one => one.textContent.startsWith('Counted'))?.querySelector('time').dateTime")
                is { } counted && DateTimeOffset.Parse(counted, System.Globalization.CultureInfo.InvariantCulture) > now)
                break;
            await Task.Delay(TimeSpan.FromSeconds(2), Cancel);
        }
        foreach (var ((name, height), path) in Pictures.Zip((string[])["/", "/executions", $"/executions/{execution}", Tenant, "/audit"]))
        {
            await visit.OpenAsync(path);
            await visit.Page.ScreenshotAsync(new() { Path = PictureOf(name), Clip = new() { Width = 1280, Height = height } });
        }
    }

    private async Task<IReadOnlyList<string>> InstanceAsync()
    {
        var instances = new Aws.InstanceStore(panel.Local.DynamoClient, panel.Local.Tables["InstancesTable"], TimeProvider.System);
        var plane = await instances.OfTenantAsync(TenantId.Parse("tenant-12"), Quotas.Month.Of(TimeProvider.System.GetUtcNow()), Cancel);
        return [.. plane.Instances.Select(one => $"/tenants/tenant-12/instances/{one.Instance}")];
    }

    [Fact]
    public async Task A_viewer_sees_no_form_that_changes_anything_and_a_stranger_nothing()
    {
        await using var viewer = await panel.VisitAsync("viewer");
        await viewer.OpenAsync(Tenant);
        Assert.Equal(0, await viewer.Page.Locator("form[method=post]").CountAsync());
        Assert.Contains("viewer", await viewer.Page.Locator("header").InnerTextAsync());

        await using var stranger = await panel.VisitAsync("stranger");
        Assert.Equal(403, (await stranger.OpenAsync(Tenant)).Status);
    }

    private static string[] Pages =>
        ["/", "/executions", "/tenants", Tenant, $"{Tenant}/usage", $"{Tenant}/usage?days=30", "/tenants/tenant-12", "/usage", "/dead-letters", "/audit", "/audit?tenant=tenant-43&since=720h", "/no-such-page"];

    private async Task<ExecutionId> RunAsync()
    {
        var execution = await panel.OrderAsync($"run {DemoData.Workflow} city=Paris");
        var executions = new Aws.ExecutionStore(panel.Local.DynamoClient, panel.Local.Tables["ExecutionsTable"], panel.Local.Tables["QuotasTable"], TimeProvider.System);
        for (var tries = 0; tries < 600; tries++)
        {
            if (await executions.FindAsync(execution, Cancel) is { State.IsTerminal: true })
                return execution;
            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancel);
        }
        throw new TimeoutException($"{execution} did not end.");
    }
}

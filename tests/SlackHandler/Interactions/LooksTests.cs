using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Executions;
using ControlPlane.Local.SmallSlack;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler.Interactions;

/// <summary>What people see, at a phone's width. <c>UPDATE_GOLDEN=1</c> takes the pictures of docs/images anew, where Chromium is.</summary>
[Trait("Length", "long")]
public sealed class LooksTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task Everything_that_is_shown_fits_a_phone()
    {
        var workspace = await world.NewWorkspaceAsync(new(MonthlyQuota: 100, Concurrency: 5, MonthlyGpuMs: null));
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        var running = ExecutionId.Of("T", "running");
        await world.StoreAsync(A.Execution(ExecutionState.Running, running) with
        {
            RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "C1"),
            DispatchedAt = At(1),
            StartedAt = At(2)
        }, workspace);
        var failed = A.Execution(ExecutionState.Failed) with
        {
            RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "C1"),
            StartedAt = At(2),
            FinishedAt = At(15),
            Outcome = A.Failure,
            Attempts = [new(1, At(1), 35, new AttemptResult.Accepted(), 200)],
        };
        await world.StoreAsync(failed, workspace);

        await Look("acknowledgement", (await workspace.TypeAsync("run wf_sched city=Paris days=3")).Message);
        await Look("result", Told(A.Execution(ExecutionState.Succeeded) with { FinishedAt = At(15), Outcome = A.Success }));
        await Look("failure", Told(failed));
        await Look("why", (await workspace.TypeAsync($"why {A.Id.Short}")).Message);
        await Look("workflows", (await workspace.TypeAsync("workflows")).Message);
        await Look("help", (await workspace.TypeAsync("")).Message);

        await workspace.SaveAsync(A.Workflow("wf_sched", [
            new("city", ParameterType.String, Required: true, MaxLength: 100, Description: "Where to look."),
            new("days", ParameterType.Integer, Minimum: 1, Maximum: 14, Default: JsonElement.Parse("3")),
            new("units", ParameterType.Enum, Values: ["metric", "imperial"], Default: JsonElement.Parse("\"metric\"")),
            new("alert", ParameterType.Boolean, Description: "Tell the team when it is warm.")]));
        await workspace.TypeAsync("run wf_sched");
        var modal = world.Slack.To("views.open").Last()["view"]!.AsObject();
        var faults = JsonNode.Parse((await workspace.InteractAsync(workspace.Submit(modal,
            new Dictionary<string, string> { ["days"] = "99" }))).Body)!["errors"]!.AsObject();
        await LookAsync("modal", new ShownPiece("1", modal.DeepClone().AsObject(), faults));

        await world.NewHome().RunAsync(workspace.Opened(), SlackFixture.Cancel);
        await Look("home", world.Slack.To("views.publish").Last()["view"]!.AsObject());

        Task Look(string name, JsonObject shown) => LookAsync(name, new ShownPiece("1", shown.DeepClone().AsObject()));
    }

    private static JsonObject Told(Execution execution) =>
        JsonSerializer.SerializeToNode(TellRequester.MessageOf(execution), SlackJson.Default.SlackMessage)!.AsObject();

    private static DateTimeOffset At(int seconds) => SlackFixture.Start + TimeSpan.FromSeconds(seconds);

    /// <summary>Lays a page out at a phone's width and looks whether it has to be moved sideways.</summary>
    private static async Task LookAsync(string name, ShownPiece piece)
    {
        const string chromium = "/usr/bin/chromium";
        Assert.SkipUnless(File.Exists(chromium), "There is no Chromium here.");
        var folder = Directory.CreateTempSubdirectory("slack-looks-");
        try
        {
            // The page says itself how wide and how high it became.
            var measured = "<script>document.title=[document.documentElement.scrollWidth,Math.ceil(document.querySelector('main').getBoundingClientRect().height)].join(' ')</script>";
            var page = Path.Combine(folder.FullName, "page.html");
            await File.WriteAllTextAsync(page, SlackPage.Of(name, [piece]).Replace("</html>", $"{measured}</html>", StringComparison.Ordinal), SlackFixture.Cancel);
            // An older window is never narrower than 500 pixels: a frame of a phone's width is.
            var frame = Path.Combine(folder.FullName, "frame.html");
            await File.WriteAllTextAsync(
                frame, $"<iframe src=page.html style='width:{SlackPage.PhoneWidth}px;height:4000px;border:0' onload=\"document.title=this.contentDocument.title\"></iframe>", SlackFixture.Cancel);
            var dom = await RunAsync(chromium, folder.FullName, "--allow-file-access-from-files", "--dump-dom", frame);
            var size = System.Text.RegularExpressions.Regex.Match(dom, @"<title>(\d+) (\d+)</title>");
            Assert.True(size.Success, $"{name}: {dom}");
            Assert.True(int.Parse(size.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) <= SlackPage.PhoneWidth, $"{name} is {size.Groups[1].Value} pixels wide");

            if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") != "1")
                return;
            var image = Path.Combine(RepositoryRoot.Find(), "docs", "images", $"slack-{name}.png");
            Directory.CreateDirectory(Path.GetDirectoryName(image)!);
            await RunAsync(chromium, folder.FullName, $"--screenshot={image}", $"--window-size={SlackPage.PhoneWidth},{size.Groups[2].Value}", page);
        }
        finally { folder.Delete(recursive: true); }
    }

    private static async Task<string> RunAsync(string program, string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(
            program, ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", $"--user-data-dir={Path.Combine(folder, "profile")}", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var said = process.StandardOutput.ReadToEndAsync(SlackFixture.Cancel);
        var errors = process.StandardError.ReadToEndAsync(SlackFixture.Cancel);
        await process.WaitForExitAsync(SlackFixture.Cancel);
        await errors;
        return await said;
    }
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using ControlPlane.Executions;
using ControlPlane.Local.SmallSlack;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>What we send, and what our small Slack sends, as Slack's own libraries for JavaScript see it. Skipped where there is no Node or they cannot be
/// had.</summary>
[Trait("Length", "long")]
public sealed class SlackLibrariesTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private const string Imports =
        """
        import type { ChatPostMessageArguments, ChatUpdateArguments, ConversationsOpenArguments, ViewsOpenArguments, ViewsPublishArguments } from '@slack/web-api';
        import type { KnownBlock, ModalView } from '@slack/types';
        import type { RespondArguments, ViewResponseAction } from '@slack/bolt';
        // Slack's own types take any type of block, for those that are newer than they: we send none of these.
        type Known<T> = T & { blocks?: KnownBlock[]; view?: { blocks: KnownBlock[] } };

        """;

    private static readonly string Folder = Path.Combine(RepositoryRoot.Find(), "tests/SlackHandler/bolt");
    private static readonly Lazy<Task<string?>> Missing = new(InstallAsync);

    [Fact]
    public async Task Bolts_receiver_takes_what_the_small_Slack_signs_and_refuses_another_secret()
    {
        await SkipWithoutAsync();
        using var bolt = Start("node", "receiver.mjs", SlackFixture.SigningSecret);
        try
        {
            var port = (int)(await LineOfAsync(bolt))["port"]!;
            var secret = SlackFixture.SigningSecret;
            await using var slack = await SlackServer.StartAsync(
                new(() => new("id", "secret", secret, new($"http://127.0.0.1:{port}")), TimeProvider.System), patience: TimeSpan.FromSeconds(30));

            var shown = await slack.People.TypeAsync("T0001", "U0001", "C0001", "run wf_sched city='São Paulo & more' 100%");
            Assert.Equal(("run wf_sched city='São Paulo & more' 100%", "T0001"), await LineOfAsync(bolt) is var typed ? ((string?)typed["command"], (string?)typed["team"]) : default);
            Assert.Equal("Bolt took it", shown!.Text);
            await slack.People.PressAsync("U0001", shown, "status");
            Assert.Equal("""{"action":"status","value":"x","user":"U0001"}""", Compact(await LineOfAsync(bolt)));
            var view = slack.State.Open(shown.Workspace, "U0001", JsonNode.Parse(
                """{"type":"modal","callback_id":"run","blocks":[{"type":"input","block_id":"city","element":{"type":"plain_text_input","action_id":"value"}}]}""")!.AsObject());
            Assert.Equal("No such city", (string?)(await slack.People.SubmitAsync(view, new Dictionary<string, string> { ["city"] = "Oz" }))!["city"]);
            Assert.Equal("""{"view":"run","city":"Oz"}""", Compact(await LineOfAsync(bolt)));
            await slack.People.OpenHomeAsync("T0001", "U0001");
            Assert.Equal("""{"event":"app_home_opened","user":"U0001"}""", Compact(await LineOfAsync(bolt)));

            secret += "?";
            var refused = await Assert.ThrowsAsync<SlackGaveUpException>(() => slack.People.TypeAsync("T0001", "U0001", "C0001", "help"));
            Assert.Contains("401", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            bolt.Kill();
        }
    }

    [Fact]
    public async Task Its_types_take_every_message_that_we_send()
    {
        await SkipWithoutAsync();
        List<(string Type, JsonNode Json)> sent = [.. Directory.GetFiles(Path.Combine(RepositoryRoot.Find(), "tests/SlackHandler/Golden"), "*.json").Order(StringComparer.Ordinal)
            .Select(file => (Path.GetFileName(file) == "modal.json" ? "ModalView" : "RespondArguments", JsonNode.Parse(File.ReadAllText(file))!))];
        await SendOneOfEachAsync();
        sent.AddRange(world.Slack.Calls.Select(call => (TypeOf(call.Place), (JsonNode)call.Json)));
        Assert.Superset(
            new HashSet<string> { "ChatPostMessageArguments", "ChatUpdateArguments", "ConversationsOpenArguments", "ViewsOpenArguments", "ViewsPublishArguments", "RespondArguments", "ModalView" },
            sent.Select(one => one.Type).ToHashSet());
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        sent.AddRange((await FaultsOfWindowsAsync(workspace)).Select(answer => ("ViewResponseAction", answer)));

        Assert.Empty(await FaultsAsync(sent));
    }

    [Theory]
    [InlineData("RespondArguments", """{"text":"x","in_plain_words":"x"}""")]
    [InlineData("RespondArguments", """{"text":"x","response_type":"everybody"}""")]
    [InlineData("ChatPostMessageArguments", """{"channel":"D1","text":"x","blocks":[{"type":"section","text":{"type":"markdown","text":"x"}}]}""")]
    [InlineData("ChatPostMessageArguments", """{"channel":"D1","text":"x","blocks":[{"type":"sektion"}]}""")]
    [InlineData("ViewsPublishArguments", """{"view":{"type":"home","blocks":[]}}""")]
    [InlineData("ViewResponseAction", """{"response_action":"errors","errors":{"city":1}}""")]
    public async Task What_its_types_do_not_know_is_noticed(string type, string json)
    {
        await SkipWithoutAsync();
        Assert.NotEmpty(await FaultsAsync([(type, JsonNode.Parse(json)!)]));
    }

    /// <summary>Each way in which something leaves for Slack, besides what golden files hold.</summary>
    private async Task SendOneOfEachAsync()
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        await world.StoreAsync(A.Execution(ExecutionState.Running) with { RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "C1") }, workspace);
        await workspace.TypeAsync("run wf_sched");
        var view = world.Slack.To("views.open").Last()["view"]!.AsObject();
        await workspace.InteractAsync(workspace.Submit(view, new Dictionary<string, string> { ["city"] = "Paris" }));
        foreach (var verb in (string[])["status", "why", "cancel", "again"])
            await workspace.InteractAsync(workspace.Press(verb, $"{A.Id} /wf"));
        await world.NewHome().RunAsync(workspace.Opened(), SlackFixture.Cancel);
        Assert.True(Slack.BotToken.TryParse(SlackFixture.BotTokenText, out var token));
        using var api = new SlackWebApi(world.Slack);
        foreach (var execution in (Execution[])[A.Execution(ExecutionState.Succeeded) with { Outcome = A.Success }, A.Execution(ExecutionState.TimedOut)])
            await api.WriteToUserAsync(token, UserId.Parse("U1"), TellRequester.MessageOf(execution), SlackFixture.Cancel);
        foreach (var progress in (Progress[])[new Progress.Percent(40), new Progress.Words("page 3 of 9")])
            await api.UpdateAsync(
                token, new("D1", "1700000000.000100"), TellProgress.MessageOf(A.Execution(ExecutionState.Running) with { Progress = progress }), SlackFixture.Cancel);
    }

    private async Task<IReadOnlyList<JsonNode>> FaultsOfWindowsAsync(Workspace workspace)
    {
        await workspace.TypeAsync("run wf_sched");
        var view = world.Slack.To("views.open").Last()["view"]!.AsObject();
        var atFields = await workspace.InteractAsync(workspace.Submit(view, new Dictionary<string, string> { ["days"] = "99" }, id: "V0002"));
        view["private_metadata"] = "another's";
        view["blocks"] = new JsonArray();
        var instead = await workspace.InteractAsync(workspace.Submit(view, new Dictionary<string, string>(), id: "V0003"));
        return [atFields.Message, instead.Message];
    }

    private static string TypeOf(string place) => place switch
    {
        "chat.postMessage" => "ChatPostMessageArguments",
        "chat.update" => "ChatUpdateArguments",
        "conversations.open" => "ConversationsOpenArguments",
        "views.open" => "ViewsOpenArguments",
        "views.publish" => "ViewsPublishArguments",
        _ => "RespondArguments",
    };

    /// <returns>What the compiler says of them, line by line; each constant is one message.</returns>
    private static async Task<IReadOnlyList<string>> FaultsAsync(IReadOnlyList<(string Type, JsonNode Json)> sent)
    {
        var folder = Directory.CreateTempSubdirectory("slack-types-");
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(folder.FullName, "node_modules"), Path.Combine(Folder, "node_modules"));
            var program = Imports + string.Concat(sent.Index().Select(one => $"export const message{one.Index}: Known<{one.Item.Type}> = {Compact(one.Item.Json)};\n"));
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "sent.mts"), program, SlackFixture.Cancel);
            using var compiler = Start(
                "node", Path.Combine(Folder, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022",
                Path.Combine(folder.FullName, "sent.mts"));
            var said = await compiler.StandardOutput.ReadToEndAsync(SlackFixture.Cancel);
            await compiler.WaitForExitAsync(SlackFixture.Cancel);
            var faults = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.True(compiler.ExitCode == 0 || faults.Any(fault => fault.Contains("sent.mts", StringComparison.Ordinal)), said);
            return faults;
        }
        finally { folder.Delete(recursive: true); }
    }

    private static string Compact(JsonNode json) => json.ToJsonString();

    private static async Task<JsonNode> LineOfAsync(Process process) =>
        JsonNode.Parse(await process.StandardOutput.ReadLineAsync(SlackFixture.Cancel).AsTask().WaitAsync(TimeSpan.FromMinutes(1), SlackFixture.Cancel)
            ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync(SlackFixture.Cancel)))!;

    private static async Task SkipWithoutAsync()
    {
        var why = await Missing.Value;
        Assert.SkipWhen(why is not null, why ?? "");
    }

    /// <returns>Why they cannot be asked, or null.</returns>
    private static async Task<string?> InstallAsync()
    {
        try
        {
            if (Directory.Exists(Path.Combine(Folder, "node_modules/@slack/bolt")) && Directory.Exists(Path.Combine(Folder, "node_modules/typescript")))
                return null;
            using var npm = Start("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
            await npm.StandardOutput.ReadToEndAsync(CancellationToken.None);
            await npm.WaitForExitAsync(CancellationToken.None);
            return npm.ExitCode == 0 ? null : "npm could not install Slack's libraries";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "there is no Node here to run Slack's libraries with";
        }
    }

    private static Process Start(string program, params IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        WorkingDirectory = Folder,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}

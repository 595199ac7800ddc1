using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.SlackHandler.Interactions;

namespace ControlPlane.Tests.SlackHandler.Interactions;

/// <summary>What gets past the door of <c>/slack/interactions</c>, and what is left behind by what does not.</summary>
public sealed class InteractionDoorTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task What_slack_did_not_sign_a_moment_ago_does_nothing()
    {
        var workspace = await world.NewWorkspaceAsync();
        var body = Body(workspace.Press("again", $"{A.Id}"));
        var (before, calls) = (await world.StateAsync(), world.Slack.Calls.Count);

        var unsigned = world.Post(body, path: Path);
        unsigned.Headers!.Remove("x-slack-signature");
        Assert.Equal(401, (await workspace.SendAsync(unsigned)).Status);
        Assert.Equal(401, (await workspace.SendAsync(world.Post(body, "another secret", path: Path))).Status);
        Assert.Equal(401, (await workspace.SendAsync(world.Post(body, at: world.Clock.Now.AddSeconds(-301), path: Path))).Status);
        Assert.Equal(401, (await workspace.SendAsync(world.Post(body, at: world.Clock.Now.AddSeconds(301), path: Path))).Status);
        var elsewhere = world.Post(body, path: Path);
        elsewhere.Headers!.Remove("x-origin-verify");
        Assert.Equal(403, (await workspace.SendAsync(elsewhere)).Status);
        var json = world.Post(body, path: Path);
        json.Headers!["content-type"] = "application/json";
        Assert.Equal(415, (await workspace.SendAsync(json)).Status);
        Assert.Equal(before, await world.StateAsync());
        Assert.Equal(calls, world.Slack.Calls.Count);
    }

    [Fact]
    public async Task A_payload_may_be_as_large_as_the_limit_and_no_larger()
    {
        var workspace = await world.NewWorkspaceAsync();
        var payload = workspace.Press("launch", "x");
        payload["message"]!["text"] = "";
        payload["message"]!["text"] = new string('x', AnswerInteraction.LargestBody - Body(payload).Length);
        Assert.Equal(200, (await workspace.SendAsync(world.Post(Body(payload), path: Path))).Status);
        payload["message"]!["text"] = (string)payload["message"]!["text"]! + "x";
        Assert.Equal(413, (await workspace.SendAsync(world.Post(Body(payload), path: Path))).Status);
    }

    public static TheoryData<string, string> Damaged => new()
    {
        { "no payload", "token=x" },
        { "two payloads", "payload=%7B%7D&payload=%7B%7D" },
        { "an empty payload", "payload=" },
        { "no JSON", "payload=hello" },
        { "no object", "payload=%5B%5D" },
        { "no type", "payload=%7B%7D" },
        { "two types", "payload=" + Uri.EscapeDataString("""{"type":"block_actions","Type":"view_submission"}""") },
        { "nothing but a type", "payload=" + Uri.EscapeDataString("""{"type":"block_actions"}""") },
        { "a modal without a view", "payload=" + Uri.EscapeDataString("""{"type":"view_submission","team":{"id":"T1"},"user":{"id":"U1"}}""") },
        { "nesting without end", "payload=" + new string('%', 0) + Uri.EscapeDataString("{\"type\":" + new string('[', 5000)) },
        { "a lone surrogate", "payload=" + Uri.EscapeDataString("""{"type":"\ud800"}""") },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public async Task What_slack_would_not_send_is_400(string what, string body)
    {
        var workspace = await world.NewWorkspaceAsync();
        var (before, calls) = (await world.StateAsync(), world.Slack.Calls.Count);
        var said = await workspace.SendAsync(world.Post(Encoding.ASCII.GetBytes(body), path: Path));
        Assert.True(said is { Status: 400, Body: "" }, $"{what}: {said.Status} {said.Body}");
        Assert.Equal(before, await world.StateAsync());
        Assert.Equal(calls, world.Slack.Calls.Count);
    }

    [Fact]
    public async Task A_payload_cut_short_anywhere_does_nothing()
    {
        var (workspace, id) = (await world.NewWorkspaceAsync(), A.Id);
        var whole = workspace.Press("cancel", $"{id}").ToJsonString();
        var (before, calls) = (await world.StateAsync(), world.Slack.Calls.Count);
        foreach (var length in Enumerable.Range(1, whole.Length - 1).Where(length => length % 13 == 0))
            Assert.Equal(400, (await workspace.SendAsync(world.Post(Workspace.Encode([new("payload", whole[..length])]), path: Path))).Status);
        Assert.Equal(before, await world.StateAsync());
        Assert.Equal(calls, world.Slack.Calls.Count);
    }

    /// <summary>Every member that is read, of another type or another shape, is refused or means nothing; never a 500.</summary>
    [Fact]
    public async Task No_member_of_another_shape_is_our_failure()
    {
        var workspace = await world.NewWorkspaceAsync();
        string[] read = ["type", "user", "team", "trigger_id", "container", "channel", "actions", "response_url", "is_enterprise_install", "enterprise", "view"];
        JsonNode?[] shapes = [null, 1, true, "", "<@U1>", new string('x', 5000), new JsonArray(), new JsonArray(new JsonArray()),
            new JsonObject(), new JsonObject { ["id"] = 1 }];
        foreach (var source in new[] { workspace.Press("status", "x"),
            workspace.Submit(new() { ["blocks"] = new JsonArray(), ["callback_id"] = "run", ["private_metadata"] = "x" }, new Dictionary<string, string>()) })
            foreach (var name in read)
                foreach (var shape in shapes)
                {
                    var payload = source.DeepClone().AsObject();
                    payload[name] = shape?.DeepClone();
                    var said = await workspace.SendAsync(world.Post(Body(payload), path: Path));
                    Assert.True(said.Status is 200 or 400, $"{name}: {shape?.ToJsonString()[..Math.Min(40, shape.ToJsonString().Length)]}: {said.Status}");
                }
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Fact]
    public async Task Another_workspaces_press_is_told_that_it_is_not_connected()
    {
        var workspace = await world.NewWorkspaceAsync();
        var stranger = new Workspace(world, "TSTRANGER", workspace.Tenant);
        Assert.Contains("not connected", await stranger.PressAsync("cancel", $"{A.Id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_asks_for_nothing_here_is_acknowledged()
    {
        var workspace = await world.NewWorkspaceAsync();
        foreach (var type in new[] { "view_closed", "shortcut", "message_action", "something_new" })
            Assert.Equal((200, ""), Of(await workspace.InteractAsync(new() { ["type"] = type })));
        Assert.Equal(405, (await workspace.SendAsync(SlackFixture.Event("GET", Path))).Status);
    }

    [Fact]
    public async Task No_payload_and_no_trigger_is_in_the_logs()
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        var press = workspace.Press("run", "wf_sched");
        press["message"]!["text"] = "private-words";
        await workspace.InteractAsync(press);
        var view = world.Slack.To("views.open").Last()["view"]!.AsObject();
        await workspace.InteractAsync(workspace.Submit(view, new Dictionary<string, string> { ["city"] = "private-words" }));
        foreach (var call in Enumerable.Range(0, 3))
            await workspace.InteractAsync(workspace.Press("again", $"{A.Id}"), world.NewFunction(slack: new Failing()));

        foreach (var secret in new[] { "private-words", (string)press["trigger_id"]!, "secretpart", (string)view["private_metadata"]!, SlackFixture.BotTokenText })
            Assert.DoesNotContain(secret, world.LogText, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("answer_not_posted", world.LogText, StringComparison.Ordinal);
        Assert.DoesNotContain(await world.StateAsync(), item => item.Contains("secretpart", StringComparison.Ordinal));
        Assert.DoesNotContain("secretpart", Encoding.UTF8.GetString(ControlPlane.Text.StrictBase64.Decode((string)view["private_metadata"]!)!), StringComparison.Ordinal);
    }

    private const string Path = "/slack/interactions";

    private static byte[] Body(JsonObject payload) => Workspace.Encode([new("payload", payload.ToJsonString())]);

    private static (int, string) Of(Said said) => (said.Status, said.Body);

    private sealed class Failing : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException($"no route to {request.RequestUri}");
    }
}

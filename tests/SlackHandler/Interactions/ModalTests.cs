using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Executions;
using ControlPlane.Local.SmallSlack;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler.Interactions;

/// <summary>The modal that asks for a workflow's inputs: what it looks like, when it opens, and what comes of it.</summary>
public sealed class ModalTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task A_run_without_what_is_required_opens_a_modal_and_says_nothing()
    {
        var workspace = await InstalledAsync();
        var form = workspace.Form("run wf_sched");
        Assert.Equal((200, ""), Of(await workspace.SendAsync(form)));
        var open = world.Slack.To("views.open").Last();
        Assert.Equal(form["trigger_id"], (string?)open["trigger_id"]);
        var view = open["view"]!.AsObject();
        view["private_metadata"] = "…";      // sealed: other bytes each time
        Golden.MatchesJson("../Golden/modal.json", view.ToJsonString());
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Fact]
    public async Task Without_a_bot_or_without_slacks_help_words_have_to_do()
    {
        var workspace = await world.NewWorkspaceAsync();
        Assert.Contains("city is missing", (await workspace.TypeAsync("run wf_sched")).Text, StringComparison.Ordinal);
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        foreach (var error in new[] { "expired_trigger_id", "invalid_auth", "internal_error" })
        {
            var slack = new SmallSlack { Answers = _ => $$"""{"ok":false,"error":"{{error}}"}""" };
            var said = await workspace.TypeAsync("run wf_sched", function: world.NewFunction(slack: slack));
            Assert.Contains("city is missing", said.Text, StringComparison.Ordinal);
            Assert.True(said.StartedNothing);
        }
        Assert.Contains("type /wf run report", await (await world.NewWorkspaceAsync()).PressAsync("run", "report /wf"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run wf_sched city=Paris", true)]       // enough is said
    [InlineData("run wf_sched days=99", false)]         // something is, and it is wrong
    [InlineData("run report", true)]                    // nothing is required
    [InlineData("run payroll", false)]                  // not allowed: there is nothing to ask for
    [InlineData("run deploy", false)]
    public async Task A_modal_opens_only_where_nothing_was_said(string text, bool isAccepted)
    {
        var workspace = await InstalledAsync();
        var before = world.Slack.To("views.open").Count();
        Assert.Equal(isAccepted, (await workspace.TypeAsync(text)).IsAccepted);
        Assert.Equal(before, world.Slack.To("views.open").Count());
    }

    [Fact]
    public async Task A_submitted_modal_runs_as_the_typed_command_would_in_its_channel_and_says_so_there()
    {
        var workspace = await InstalledAsync();
        var view = await OpenAsync(workspace, "run wf_sched --public", channel: "C7");
        Assert.Equal((200, ""), Of(await workspace.InteractAsync(workspace.Submit(view, Fields("Paris", ("days", "5"), ("units", "metric"))))));

        var order = Assert.Single(await workspace.OrdersAsync());
        Assert.Equal(("wf_sched", """{"city":"Paris","days":"5","units":"metric"}""", true), (order.Workflow, order.Inputs.GetRawText(), order.Public));
        Assert.Equal(Requesters.OfSlack(workspace.TeamId, "U1", "C7"), order.RequestedBy);
        var said = world.Slack.To($"/commands/{workspace.TeamId}/1234567890/secretpart").Last();
        Assert.Contains("Working on *wf_sched*", (string?)said["text"], StringComparison.Ordinal);
        Assert.Equal("in_channel", (string?)said["response_type"]);
        // The result goes to the same address, whose first post is made.
        Assert.Equal(1, (await world.Replies.FindAsync(ExecutionId.Parse(order.ExecutionId), SlackFixture.Cancel))!.Uses);
    }

    [Fact]
    public async Task A_modal_submitted_twice_is_one_run()
    {
        var workspace = await InstalledAsync();
        var view = await OpenAsync(workspace, "run wf_sched");
        await workspace.InteractAsync(workspace.Submit(view, Fields("Paris")));
        await workspace.InteractAsync(workspace.Submit(view, Fields("Paris")));
        Assert.Single((await workspace.OrdersAsync()).DistinctBy(order => order.ExecutionId));
        await workspace.InteractAsync(workspace.Submit(view, Fields("Paris"), id: "V0002"));
        Assert.Equal(2, (await workspace.OrdersAsync()).DistinctBy(order => order.ExecutionId).Count());
    }

    [Fact]
    public async Task What_is_wrong_is_said_at_its_field_and_mended_there()
    {
        var workspace = await InstalledAsync();
        var view = await OpenAsync(workspace, "run wf_sched");
        var errors = await ErrorsAsync(workspace, workspace.Submit(view, Fields(" ", ("days", "99"))));
        Assert.Equal(["0:city", "1:days"], errors.Select(error => error.Key));
        Assert.Equal("days must be a whole number from 1 to 14.", (string?)errors["1:days"]);
        Assert.Empty(await workspace.OrdersAsync());
        Assert.Equal((200, ""), Of(await workspace.InteractAsync(workspace.Submit(view, Fields("Paris")))));
        Assert.Single(await workspace.OrdersAsync());
    }

    [Fact]
    public async Task A_workflow_that_was_changed_meanwhile_is_an_error_at_a_field()
    {
        var workspace = await InstalledAsync();
        var view = await OpenAsync(workspace, "run wf_sched");
        await workspace.SaveAsync(A.Workflow("wf_sched", [new("city", ParameterType.String, Required: true), new("region", ParameterType.String, Required: true)]));
        var errors = await ErrorsAsync(workspace, workspace.Submit(view, Fields("Paris", ("days", "3"))));
        Assert.Contains("changed meanwhile: region is missing", (string?)errors["0:city"], StringComparison.Ordinal);
        Assert.Contains("takes no days", (string?)errors["1:days"], StringComparison.Ordinal);

        await workspace.SaveAsync(A.Workflow("wf_sched", []) with { Enabled = false });
        Assert.Contains("switched off", (string?)(await ErrorsAsync(workspace, workspace.Submit(view, Fields("Paris"))))["0:city"], StringComparison.Ordinal);
        await workspace.SaveAsync(A.Workflow("wf_sched", []) with { AllowedUsers = ["UBOSS"] });
        Assert.Contains("may not run", (string?)(await ErrorsAsync(workspace, workspace.Submit(view, Fields("Paris"))))["0:city"], StringComparison.Ordinal);
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Fact]
    public async Task Metadata_of_another_user_another_workspace_or_nobodys_starts_nothing()
    {
        var workspace = await InstalledAsync();
        var other = await InstalledAsync();
        var view = await OpenAsync(workspace, "run wf_sched");
        var forged = view.DeepClone().AsObject();
        forged["private_metadata"] = Convert.ToBase64String("wf_sched\nC1\n/wf\nprivate\n1\n"u8);
        foreach (var payload in new[] { workspace.Submit(view, Fields("Paris"), user: "U2"), other.Submit(view, Fields("Paris")), workspace.Submit(forged, Fields("Paris")) })
            Assert.Contains("too old or not yours", (string?)(await ErrorsAsync(workspace, payload))["0:city"], StringComparison.Ordinal);
        Assert.Empty(await workspace.OrdersAsync());
        Assert.Empty(await other.OrdersAsync());
    }

    [Fact]
    public async Task A_button_to_run_asks_even_where_nothing_is_needed_and_a_modal_without_fields_says_what_is_wrong()
    {
        var workspace = await InstalledAsync();
        Assert.Equal("", await workspace.PressAsync("run", "report /wf"));
        var view = world.Slack.To("views.open").Last()["view"]!.AsObject();
        Assert.Contains("It takes no inputs", view.ToJsonString(), StringComparison.Ordinal);
        await workspace.SaveAsync(A.Workflow("report", []) with { Enabled = false });
        var said = await workspace.InteractAsync(workspace.Submit(view, Fields(null)));
        Assert.Equal("update", (string?)JsonNode.Parse(said.Body)!["response_action"]);
        Assert.Null(SlackLimits.FaultOfView(JsonNode.Parse(said.Body)!["view"]!.AsObject()));
        Assert.Contains("report is switched off", said.Body, StringComparison.Ordinal);

        await workspace.SaveAsync(A.Workflow("report", []));
        Assert.Equal((200, ""), Of(await workspace.InteractAsync(workspace.Submit(view, Fields(null)))));
        Assert.Equal("report", Assert.Single(await workspace.OrdersAsync()).Workflow);
    }

    [Fact]
    public void Every_kind_of_parameter_has_a_field_that_slack_takes_and_gives_its_value_back()
    {
        var workflow = A.Workflow("every_kind_of_parameter_and_a_long_name", [
            new("text", ParameterType.String, MaxLength: 5000, Default: Json("\"a & b\""), Description: new string('d', 3000)),
            new("Text", ParameterType.String, Required: true, MaxLength: 10, Default: Json("\"longer than ten characters\"")),
            new("count", ParameterType.Integer, Minimum: -5, Maximum: 1e15, Default: Json("7")),
            new("share", ParameterType.Number, Minimum: 0.5, Default: Json("0.75")),
            new("sure", ParameterType.Boolean, Required: true, Default: Json("true")),
            new("maybe", ParameterType.Boolean),
            new("size", ParameterType.Enum, Values: ["s", "m"], Default: Json("\"m\"")),
            new("many", ParameterType.Enum, Values: [.. Enumerable.Range(0, 101).Select(i => $"v{i}")]),
            new("long", ParameterType.Enum, Values: [new string('x', 76)]),
        ]);
        var view = JsonNode.Parse(RunModal.ViewOf(workflow, "metadata").Span)!.AsObject();
        Assert.Null(SlackLimits.FaultOfView(view));
        Assert.Equal(
            ["plain_text_input", "plain_text_input", "number_input", "number_input", "checkboxes", "checkboxes", "static_select", "plain_text_input", "plain_text_input"],
            view["blocks"]!.AsArray().Skip(1).Select(block => (string?)block!["element"]!["type"]));
        Assert.Equal(
            ["a & b", null, "7", "0.75"], view["blocks"]!.AsArray().Skip(1).Take(4).Select(block => (string?)block!["element"]!["initial_value"]));

        var fields = new Dictionary<string, JsonElement>
        {
            ["0:text"] = Json("""{"type":"plain_text_input","value":null}"""),
            ["1:Text"] = Json("""{"type":"plain_text_input","value":"x"}"""),
            ["2:count"] = Json("""{"type":"number_input","value":"8"}"""),
            ["4:sure"] = Json("""{"type":"checkboxes","selected_options":[]}"""),
            ["5:maybe"] = Json("""{"type":"checkboxes","selected_options":[{"value":"yes"}]}"""),
            ["6:size"] = Json("""{"type":"static_select","selected_option":{"value":"s"}}"""),
        };
        var inputs = RunModal.InputsIn(fields)!.Value;
        Assert.Equal("""{"Text":"x","count":"8","sure":false,"maybe":true,"size":"s"}""", inputs.GetRawText());
        Assert.Equal(
            """{"text":"a \u0026 b","Text":"x","count":8,"share":0.75,"sure":false,"maybe":true,"size":"s"}""", WorkflowInputs.Check(inputs, workflow).Inputs.GetRawText());
        Assert.Null(RunModal.InputsIn(new Dictionary<string, JsonElement> { ["nameless"] = Json("{}") }));
    }

    private static JsonElement Json(string json) => JsonElement.Parse(json);

    private static Dictionary<string, string> Fields(string? city, params (string, string)[] more)
    {
        var fields = more.ToDictionary();
        if (city is not null)
            fields["city"] = city;
        return fields;
    }

    private async Task<Workspace> InstalledAsync()
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        return workspace;
    }

    private async Task<JsonObject> OpenAsync(Workspace workspace, string text, string channel = "C1")
    {
        await workspace.TypeAsync(text, channel: channel);
        return world.Slack.To("views.open").Last()["view"]!.AsObject();
    }

    private static async Task<JsonObject> ErrorsAsync(Workspace workspace, JsonObject payload)
    {
        var said = await workspace.InteractAsync(payload);
        var answer = JsonNode.Parse(said.Body)!;
        Assert.Equal((200, "errors"), (said.Status, (string?)answer["response_action"]));
        return answer["errors"]!.AsObject();
    }

    private static (int, string) Of(Said said) => (said.Status, said.Body);
}

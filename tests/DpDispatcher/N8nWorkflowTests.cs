using System.Text.Json;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>The workflow that tenants import, and the two that it calls, keep what their page promises.</summary>
public sealed class N8nWorkflowTests
{
    private static readonly JsonElement Own = Read("wf_sched"), Receive = Read("control-plane-receive"), Report = Read("control-plane-report");

    public static TheoryData<string> Files => ["wf_sched", "control-plane-receive", "control-plane-report"];

    [Fact]
    public void Nothing_is_answered_or_done_before_the_claims_are_checked()
    {
        Assert.Equal(["Webhook", "Receive", "Answer"], Chain(Own, from: "Webhook", until: "Accepted?"));
        Assert.Equal(["Called", "This data plane", "Hash of the body", "Wrong claims"], Chain(Receive, from: "Called", until: "Claims ok?"));
        Assert.Equal(["First time?", "Forbidden"], Next(Receive, "Claims ok?").Select(output => output.Single()));
        Assert.Equal(["Running", "Already here"], Next(Receive, "First time?").Select(output => output.Single()));
        Assert.Equal("Accepted", Assert.Single(Next(Receive, "Running")).Single());
        foreach (var (answer, code) in new[] { ("Forbidden", "403"), ("Accepted", "202"), ("Already here", "409") })
            Assert.Contains($"code: {code},", Parameters(Receive, answer).GetProperty("jsonOutput").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Work_is_done_for_an_order_that_was_accepted_and_for_no_other()
    {
        Assert.Equal("={{ $json.code }}", Parameters(Own, "Answer").GetProperty("options").GetProperty("responseCode").GetString());
        var only = Assert.Single(Parameters(Own, "Accepted?").GetProperty("conditions").GetProperty("conditions").EnumerateArray());
        Assert.Equal(
            ("={{ $json.code }}", "equals", 202),
            (only.GetProperty("leftValue").GetString(), only.GetProperty("operator").GetProperty("operation").GetString(), only.GetProperty("rightValue").GetInt32()));
        Assert.Equal(["Work", "Nothing came?"], Assert.Single(Next(Own, "Accepted?")));
    }

    [Theory]
    [InlineData("iss"), InlineData("aud"), InlineData("tenant_id"), InlineData("sub"), InlineData("workflow"), InlineData("bsh"), InlineData("exp")]
    public void Every_claim_that_n8n_does_not_look_at_is_compared(string claim) =>
        Assert.Contains($"jwtPayload.{claim},", Assert.Single(Parameters(Receive, "Wrong claims").GetProperty("assignments").GetProperty("assignments").EnumerateArray())
            .GetProperty("value").GetString(), StringComparison.Ordinal);

    [Fact]
    public void The_webhook_asks_for_a_token_and_keeps_the_bytes_that_were_signed()
    {
        var webhook = Parameters(Own, "Webhook");
        Assert.Equal(("POST", "jwtAuth", "responseNode"),
            (
                webhook.GetProperty("httpMethod").GetString(), webhook.GetProperty("authentication").GetString(),
                webhook.GetProperty("responseMode").GetString()));
        Assert.True(webhook.GetProperty("options").GetProperty("rawBody").GetBoolean());
        var hash = Parameters(Receive, "Hash of the body");
        Assert.Equal(
            ("hash", "SHA256", true),
            (hash.GetProperty("action").GetString(), hash.GetProperty("type").GetString(), hash.GetProperty("binaryData").GetBoolean()));
    }

    [Fact]
    public void Every_end_of_Work_leads_to_the_one_outcome_that_is_posted_until_it_is_taken()
    {
        Assert.Equal(["Report", "Report"], Next(Own, "Work").Select(output => output.Single()));
        Assert.Equal(["Report"], Next(Own, "Nothing came?")[0]);
        Assert.Equal(["Called", "Outcome"], Chain(Report, from: "Called", until: "Callback"));
        Assert.Equal(["Again?", "Again?"], Next(Report, "Callback").Select(output => output.Single()));
        Assert.Equal("Callback", Assert.Single(Next(Report, "Later")).Single());
        Assert.False(Parameters(Report, "Callback").GetProperty("options").GetProperty("redirect").GetProperty("redirect").GetProperty("followRedirects").GetBoolean());
    }

    /// <summary>What waits for the control plane is an execution of its own: the one that ran has ended, and is not held up.</summary>
    [Fact]
    public void Nobody_waits_for_what_is_told_and_everybody_for_the_checks()
    {
        Assert.Equal("cpReport00000001", Report.GetProperty("id").GetString());
        Assert.Equal("cpReceive0000001", Receive.GetProperty("id").GetString());
        foreach (var (workflow, call) in new[] { (Own, "Report"), (Receive, "Running") })
        {
            Assert.Equal("cpReport00000001", Parameters(workflow, call).GetProperty("workflowId").GetProperty("value").GetString());
            Assert.False(Parameters(workflow, call).GetProperty("options").GetProperty("waitForSubWorkflow").GetBoolean());
            // Members of the work that have these names are not taken for them.
            Assert.Equal(
                Parameters(Report, "Called").GetProperty("workflowInputs").GetProperty("values").EnumerateArray().Select(one => one.GetProperty("name").GetString()),
                Parameters(workflow, call).GetProperty("workflowInputs").GetProperty("value").EnumerateObject().Select(one => one.Name));
        }
        Assert.Equal("cpReceive0000001", Parameters(Own, "Receive").GetProperty("workflowId").GetProperty("value").GetString());
        Assert.False(Parameters(Own, "Receive").GetProperty("options").TryGetProperty("waitForSubWorkflow", out _));
    }

    /// <summary>Two minutes and a half, by a real n8n: only where one is named by <c>N8N_FOLDER</c>.</summary>
    [Fact]
    public async Task A_real_n8n_keeps_every_promise_of_the_page()
    {
        var folder = Environment.GetEnvironmentVariable("N8N_FOLDER");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "N8N_FOLDER names no n8n to try the workflow on; data-plane/try brings two");

        Script.Holds(await Script.RunAsync("data-plane/n8n/try", [folder]));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Nothing_secret_is_in_a_file_and_executions_that_succeed_are_not_stored(string file)
    {
        var workflow = Read(file);
        Assert.DoesNotContain("BEGIN ", workflow.GetRawText(), StringComparison.Ordinal);
        Assert.False(workflow.GetProperty("active").GetBoolean());
        Assert.Equal("none", workflow.GetProperty("settings").GetProperty("saveDataSuccessExecution").GetString());
    }

    private static JsonElement Read(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(RepositoryRoot.Find(), $"data-plane/n8n/{name}.json"))).RootElement[0];

    private static JsonElement Parameters(JsonElement workflow, string name) =>
        workflow.GetProperty("nodes").EnumerateArray().Single(node => node.GetProperty("name").GetString() == name).GetProperty("parameters");

    /// <summary>The nodes on the one way to another.</summary>
    private static List<string> Chain(JsonElement workflow, string from, string until)
    {
        var (step, before) = (from, new List<string>());
        while (step != until)
        {
            before.Add(step);
            step = Assert.Single(Next(workflow, step)).Single();
        }
        return before;
    }

    private static List<List<string>> Next(JsonElement workflow, string name) =>
        [.. workflow.GetProperty("connections").GetProperty(name).GetProperty("main").EnumerateArray()
            .Select(output => output.EnumerateArray().Select(to => to.GetProperty("node").GetString()!).ToList())];
}

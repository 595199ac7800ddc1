using System.Text.Json;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>The workflow that tenants import keeps what its page promises.</summary>
public sealed class N8nWorkflowTests
{
    private static readonly JsonElement Workflow = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(RepositoryRoot.Find(), "data-plane/n8n/wf_sched.json")))
        .RootElement[0];

    [Fact]
    public void Nothing_is_answered_or_done_before_the_claims_are_checked()
    {
        var (step, before) = ("Webhook", new List<string>());
        while (step != "Claims ok?")
        {
            before.Add(step);
            step = Assert.Single(Next(step)).Single();
        }
        Assert.Equal(["Webhook", "This data plane", "Hash of the body", "Wrong claims"], before);
        Assert.Equal(["First time?", "Forbid"], Next("Claims ok?").Select(output => output.Single()));
        Assert.Equal(403, Parameters("Forbid").GetProperty("options").GetProperty("responseCode").GetInt32());
        Assert.Equal(["Accepted", "Already here"], Next("First time?").Select(output => output.Single()));
    }

    [Theory]
    [InlineData("iss"), InlineData("aud"), InlineData("tenant_id"), InlineData("sub"), InlineData("workflow"), InlineData("bsh"), InlineData("exp")]
    public void Every_claim_that_n8n_does_not_look_at_is_compared(string claim) =>
        Assert.Contains($"jwtPayload.{claim},", Assert.Single(Parameters("Wrong claims").GetProperty("assignments").GetProperty("assignments").EnumerateArray())
            .GetProperty("value").GetString(), StringComparison.Ordinal);

    [Fact]
    public void The_webhook_asks_for_a_token_and_keeps_the_bytes_that_were_signed()
    {
        var webhook = Parameters("Webhook");
        Assert.Equal(("POST", "jwtAuth", "responseNode"),
            (
                webhook.GetProperty("httpMethod").GetString(), webhook.GetProperty("authentication").GetString(),
                webhook.GetProperty("responseMode").GetString()));
        Assert.True(webhook.GetProperty("options").GetProperty("rawBody").GetBoolean());
        Assert.Equal(("hash", "SHA256", true),
            (Parameters("Hash of the body").GetProperty("action").GetString(), Parameters("Hash of the body").GetProperty("type").GetString(),
            Parameters("Hash of the body").GetProperty("binaryData").GetBoolean()));
    }

    [Fact]
    public void Every_end_of_Work_leads_to_the_one_outcome_that_is_posted_until_it_is_taken()
    {
        Assert.Equal(["Outcome", "Outcome"], Next("Work").Select(output => output.Single()));
        Assert.Equal(["Running", "Work", "Nothing came?"], Assert.Single(Next("Accepted")));
        Assert.Equal("Outcome", Assert.Single(Next("No items")).Single());
        Assert.Equal(["Again?", "Again?"], Next("Callback").Select(output => output.Single()));
        Assert.Equal("Callback", Assert.Single(Next("Later")).Single());
        foreach (var post in new[] { "Running", "Callback" })
            Assert.False(Parameters(post).GetProperty("options").GetProperty("redirect").GetProperty("redirect").GetProperty("followRedirects").GetBoolean());
    }

    /// <summary>Two minutes and a half, by a real n8n: only where one is named by <c>N8N_FOLDER</c>.</summary>
    [Fact]
    public async Task A_real_n8n_keeps_every_promise_of_the_page()
    {
        var folder = Environment.GetEnvironmentVariable("N8N_FOLDER");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "N8N_FOLDER names no n8n to try the workflow on");

        Script.Holds(await Script.RunAsync("data-plane/n8n/try", [folder]));
    }

    [Fact]
    public void Nothing_secret_is_in_the_file_and_executions_that_succeed_are_not_stored()
    {
        Assert.DoesNotContain("BEGIN ", Workflow.GetRawText(), StringComparison.Ordinal);
        Assert.False(Workflow.GetProperty("active").GetBoolean());
        Assert.Equal("none", Workflow.GetProperty("settings").GetProperty("saveDataSuccessExecution").GetString());
    }

    private static JsonElement Node(string name) => Workflow.GetProperty("nodes").EnumerateArray().Single(node => node.GetProperty("name").GetString() == name);

    private static JsonElement Parameters(string name) => Node(name).GetProperty("parameters");

    private static List<List<string>> Next(string name) =>
        [.. Workflow.GetProperty("connections").GetProperty(name).GetProperty("main").EnumerateArray()
            .Select(output => output.EnumerateArray().Select(to => to.GetProperty("node").GetString()!).ToList())];
}

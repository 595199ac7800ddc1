using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Orchestrator;

/// <summary>The bytes and items that the Orchestrator leaves behind. Tokens differ each time and are shown as <c>TOKEN</c>.</summary>
public partial class GoldenTests(LocalCloud cloud)
{
    [Fact]
    public async Task The_dispatch_body_is_the_contracts()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.PublishAsync(
            OrchestratorFixture.Workflow(new WorkflowParameter("city", ParameterType.String), new WorkflowParameter("days", ParameterType.Integer)));

        var request = world.Request(inputs: """{"days":"3","city":"Zürich <b>\r\n"}""");
        // The organisation is for us to speak to its user by, and not the engine's business.
        var by = request.RequestedBy.InSlack() with { OrganisationId = TeamId.Parse("E0001") };
        var execution = await world.StartAsync(request with { RequestedBy = by });

        Assert.Equal(by, execution.RequestedBy);
        var order = (await world.Executions.FindOrderAsync(execution.Id, Cancel))!;
        var body = Encoding.UTF8.GetString(order.Body);
        Assert.All(order.Body, one => Assert.InRange(one, (byte)0x20, (byte)0x7e));
        using var document = JsonDocument.Parse(body);
        Golden.Matches("dispatch-body.golden.json", WithoutTokens(body));
    }

    [Fact]
    public async Task The_items_of_a_queued_execution()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.PublishAsync(OrchestratorFixture.Workflow(new WorkflowParameter("city", ParameterType.String)));

        var execution = await world.StartAsync(world.Request(inputs: """{"city":"Basel"}"""));

        Golden.Matches("execution-queued.golden.txt", Golden.Text(await world.ItemAsync(execution.Id, "EXECUTION")));
        Golden.Matches("dispatch-order.golden.txt", WithoutTokens(Golden.Text(await world.ItemAsync(execution.Id, "DISPATCH"))));
    }

    [Fact]
    public async Task The_item_of_a_denied_execution()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.PublishAsync(OrchestratorFixture.Workflow(new WorkflowParameter("city", ParameterType.String, Required: true)));
        await world.HeardFromAsync(world.Now - TimeSpan.FromSeconds(181));

        var execution = await world.StartAsync(world.Request(inputs: """{"citty":"Basel"}"""));

        Golden.Matches("execution-denied.golden.txt", Golden.Text(await world.ItemAsync(execution.Id, "EXECUTION")));
    }

    [Fact]
    public async Task The_key_set_of_a_tenant()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);

        var answer = await world.Jwks.AnswerAsync(RequestFor("tenant-43"), new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(5) });

        Assert.Equal(200, answer.StatusCode);
        Assert.Equal("application/jwk-set+json", answer.Headers!["Content-Type"]);
        Assert.Equal("public, max-age=300", answer.Headers!["Cache-Control"]);
        Golden.Matches("jwks.golden.json", answer.Body!);
    }

    [Theory]
    [InlineData("tenant-0")]
    [InlineData("tenant-157")]
    [InlineData("tenant-01")]
    [InlineData("tenant-1\n")]
    [InlineData("")]
    [InlineData("../tenant-1")]
    public async Task There_is_no_key_set_of_a_tenant_that_cannot_be(string id)
    {
        var world = await OrchestratorFixture.StartAsync(cloud);

        var answer = await world.Jwks.AnswerAsync(RequestFor(id), new TestLambdaContext());

        Assert.Equal(404, answer.StatusCode);
        Assert.Equal("no-store", answer.Headers!["Cache-Control"]);
        Assert.Equal("unknown-tenant", JsonDocument.Parse(answer.Body!).RootElement.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_key_set_that_cannot_be_made_is_a_problem_to_ask_again_about()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        world.Secrets.IsDown = true;

        var answer = await world.Jwks.AnswerAsync(RequestFor("tenant-43"), new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(5) });

        Assert.Equal(503, answer.StatusCode);
        Assert.Equal("no-store", answer.Headers!["Cache-Control"]);
        Assert.Equal("unavailable", JsonDocument.Parse(answer.Body!).RootElement.GetProperty("code").GetString());
        Assert.Contains("keys_unavailable", System.Text.Encoding.UTF8.GetString(world.Logged.ToArray()), StringComparison.Ordinal);
    }

    private static APIGatewayProxyRequest RequestFor(string tenant) => new()
    {
        HttpMethod = "GET",
        Path = $"/tenants/{tenant}/jwks.json",
        PathParameters = new Dictionary<string, string> { ["tenant_id"] = tenant },
        RequestContext = new() { RequestId = "r-1" },
    };

    private static string WithoutTokens(string text) => Token().Replace(text, "TOKEN");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [GeneratedRegex(@"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")]
    private static partial Regex Token();
}

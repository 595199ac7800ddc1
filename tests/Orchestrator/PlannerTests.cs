using System.Text.Json;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Orchestrator;

public class PlannerTests
{
    [Fact]
    public void Inputs_that_would_not_fit_the_body_are_refused_and_the_largest_that_do_are_sent()
    {
        var planner = new Planner(OrchestratorFixture.Outcomes);
        var workflow = OrchestratorFixture.Workflow(new WorkflowParameter("text", ParameterType.String));
        var now = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

        Assert.IsType<Planning.Unusable>(planner.Plan(RequestOf(new string('x', Planner.LongestBody)), workflow, now));
        Assert.IsType<Planning.Unusable>(planner.Plan(RequestOf(new string('"', Planner.LongestBody / 6)), workflow, now));         // \u0022 is six bytes
        var ready = Assert.IsType<Planning.Ready>(planner.Plan(RequestOf(new string('x', 60_000)), workflow, now));
        Assert.InRange(planner.BodyOf(ready.Plan, new string('t', 1000)).Length, 60_000, Planner.LongestBody);

        StartRequest RequestOf(string text) => new(
            Executions.ExecutionId.Of("T", "t"), OrchestratorFixture.Tenant, OrchestratorFixture.Scheduler,
            JsonDocument.Parse(JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = text },
                JsonSerializerOptions.Default.GetTypeInfo(typeof(Dictionary<string, string>)))).RootElement,
            Requesters.OfSlack("T", "U", "C"), false, now);
    }
}

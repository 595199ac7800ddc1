using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>Examples.</summary>
internal static partial class A
{
    public static readonly ExecutionId Id = ExecutionId.Parse("exec_00112233445566778899aabbccddeeff");

    public static Workflow Workflow(string name, IReadOnlyList<WorkflowParameter> parameters) => new(
        WorkflowName.Parse(name), WebhookPath.Of(WorkflowName.Parse(name)), parameters, Tenants.Workflow.DefaultDeadline,
        Idempotent: false, Enabled: true, AllowedUsers: [], AllowedGroups: [], AllowedChannels: []);

    public static Execution Execution(ExecutionState state, ExecutionId? id = null, TenantId? tenant = null, string user = "U1") => new()
    {
        Id = id ?? Id,
        Tenant = tenant ?? TenantId.Parse("tenant-43"),
        Workflow = WorkflowName.Parse("wf_sched"),
        RequestedBy = Requesters.OfSlack("T0001", user, "C1"),
        State = state,
        CreatedAt = SlackFixture.Start,
        DeadlineAt = SlackFixture.Start + TimeSpan.FromHours(1),
        Month = Month.Of(SlackFixture.Start),
        Inputs = JsonElement.Parse("""{"city":"Paris","days":3}"""),
        Decision = new(Allowed: true, "allowed", "It may run.", [new("quota", Judgement.Allow, "quota-left", "12 of 1000 are used")]),
    };

    public static readonly Outcome Success = new(
        OutcomeStatus.Succeeded, SlackFixture.Start + TimeSpan.FromSeconds(2), SlackFixture.Start + TimeSpan.FromSeconds(14), "8123", new(1200, 0, 0, 0),
        new("3 warm days in <Paris> & around", "https://engine.example.com/run/8123?a=1&b=2"), null);

    public static readonly Outcome Failure = new(
        OutcomeStatus.Failed, null, null, "8124", ExecutionUsage.None, null, new("E_CITY", "No such city"));

    [JsonSerializable(typeof(int))]
    internal sealed partial class Json : JsonSerializerContext;
}

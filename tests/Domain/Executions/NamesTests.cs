using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Executions;

/// <summary>What states, failures and results are called in tables and on the wire: whoever renames one loses what is stored.</summary>
public sealed class NamesTests
{
    [Fact]
    public void States() => Assert.Equal(
        """
        AWAITING_APPROVAL, QUEUED, DISPATCHING, DISPATCHED, DISPATCH_UNKNOWN, RUNNING
        SUCCEEDED, FAILED, CANCELLED, TIMED_OUT, DENIED
        """,
        string.Join('\n', new[] { false, true }.Select(isEnd => Listed(ExecutionStates.All.Where(one => one.IsTerminal == isEnd).Select(one => one.Name)))));

    [Fact]
    public void Failures() => Assert.Equal(
        "dispatch_unreachable, dispatch_expired, dispatch_unauthorized, dispatch_rejected, workflow_not_active, engine_address_refused, tenant_not_active, dispatch_unreadable",
        Listed(DispatchFailures.All.Select(one => one.Code)));

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names);

    [Fact]
    public void Each_is_read_by_its_name_and_no_other_is_one()
    {
        Assert.All(ExecutionStates.All, state => Assert.Equal(state, ExecutionStates.Parse(state.Name)));
        Assert.All(DispatchFailures.All, failure => Assert.Equal(failure, DispatchFailures.Parse(failure.Code)));
        Assert.Throws<FormatException>(() => ExecutionStates.Parse("queued"));
        Assert.Throws<FormatException>(() => DispatchFailures.Parse("expired"));
        Assert.Throws<ArgumentOutOfRangeException>(() => ((ExecutionState)99).Name);
    }

    [Fact]
    public void Results_of_an_attempt_are_three_or_a_failure()
    {
        AttemptResult[] results =
            [new AttemptResult.Accepted(), new AttemptResult.Ambiguous(), new AttemptResult.Again(), new AttemptResult.Failed(DispatchFailure.Expired)];
        Assert.Equal("accepted, ambiguous, again, dispatch_expired", Listed(results.Select(one => $"{one}")));
        Assert.All(results, result => Assert.Equal(result, AttemptResult.Parse(result.Code)));
        Assert.Throws<FormatException>(() => AttemptResult.Parse("Accepted"));
    }

    [Theory]
    [InlineData("\"again\"", true), InlineData("\"dispatch_expired\"", true), InlineData("\"never\"", false), InlineData("5", false), InlineData("null", false)]
    public void A_stored_attempt_is_read_as_it_was_written(string result, bool isRead)
    {
        var json = $$"""{"number":1,"at":"2026-11-22T12:00:00+00:00","milliseconds":12,"result":{{result}},"status":null}""";
        if (isRead)
            Assert.Equal(
                json, JsonSerializer.Serialize(JsonSerializer.Deserialize(json, DomainJson.Default.DispatchAttempt)!, DomainJson.Default.DispatchAttempt));
        else
            Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, DomainJson.Default.DispatchAttempt));
    }

    [Theory]
    [InlineData(OutcomeStatus.Running, Signal.Started), InlineData(OutcomeStatus.Succeeded, Signal.Succeeded)]
    [InlineData(OutcomeStatus.Failed, Signal.Failed), InlineData(OutcomeStatus.Cancelled, Signal.Stopped)]
    public void What_an_engine_reports_is_a_signal(OutcomeStatus status, Signal signal) => Assert.Equal(signal, ExecutionLifecycle.SignalOf(status));

    private const string Ids = """
        "execution_id":"exec_0123456789abcdef0123456789abcdef","tenant_id":"tenant-1"
        """;

    [Theory]
    [InlineData($$"""{"schema":"dispatch-request.v1",{{Ids}}}""", true), InlineData($$"""{"schema":"notification.v1",{{Ids}}}""", false)]
    [InlineData($$"""{{{Ids}}}""", false), InlineData("""{"schema":"dispatch-request.v1","tenant_id":"tenant-1"}""", false)]
    [InlineData("""{"schema":"dispatch-request.v1","execution_id":"exec_0123456789abcdef0123456789abcdef","tenant_id":"tenant-0"}""", false)]
    [InlineData("[]", false)]
    public void A_message_names_an_execution_and_its_tenant(string message, bool isRead)
    {
        MessageIds? ids = isRead ? new(ExecutionId.Parse("exec_0123456789abcdef0123456789abcdef"), TenantId.Parse("tenant-1")) : null;
        Assert.Equal(ids, MessageIds.Read(JsonElement.Parse(message), DispatchRequest.SchemaV1));
    }

    [Fact]
    public void Starts_of_one_key_are_one_execution_and_no_workspaces_are_an_operators()
    {
        var (one, other) = (TenantId.Parse("tenant-1"), TenantId.Parse("tenant-2"));
        Assert.Equal(ExecutionId.OfOperator(one, "k"), ExecutionId.OfOperator(one, "k"));
        Assert.Distinct(
        [
            ExecutionId.OfOperator(one, "k"), ExecutionId.OfOperator(one, "l"), ExecutionId.OfOperator(other, "k"), ExecutionId.Of("OPERATOR", "tenant-1|k"),
        ]);
        var (schedule, noon) = (ScheduleId.OfOperator(one, "k"), new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        Assert.Equal(ExecutionId.OfSchedule(schedule, noon), ExecutionId.OfSchedule(schedule, noon.ToOffset(TimeSpan.FromHours(2))));
        Assert.Distinct(
        [
            ExecutionId.OfSchedule(schedule, noon), ExecutionId.OfSchedule(schedule, noon.AddSeconds(1)),
            ExecutionId.OfSchedule(ScheduleId.Of("T1", "k"), noon),
        ]);
    }

    [Fact]
    public void A_trace_is_named_for_its_execution() =>
        Assert.NotEqual(ExecutionId.Of("T1", "1").TraceId, ExecutionId.Of("T1", "2").TraceId);
}

using ControlPlane.Aws;
using ControlPlane.Capacity;
using ControlPlane.Metering;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows;

/// <summary>bench/Capacity/measured.json says what the functions do.</summary>
public sealed class MeasuredUnitsTests(MeasuredFlows flows) : IClassFixture<MeasuredFlows>
{
    /// <summary>The file has one decimal.</summary>
    private const double Rounding = 0.05 + 1e-9;

    private static readonly Inputs Given = Inputs.Read(Path.Combine(RepositoryRoot.Find(), "bench", "Capacity"));

    public static TheoryData<string> Flows => [.. Given.Measured.Flows.Select(flow => flow.Name)];

    [Fact]
    public void Every_flow_is_measured() => Assert.Equal(Given.Measured.Flows.Select(flow => flow.Name).Order(), flows.Charges.Keys.Order());

    [Theory]
    [MemberData(nameof(Flows))]
    public void A_flow_makes_the_calls_uses_the_units_and_sends_the_messages_that_the_file_says(string name)
    {
        var (flow, charge) = (Given.Flow(name), flows.Charges[name]);

        Assert.Equal(0, charge.Refused);
        Near($"{name}, write units", charge.WriteUnits, flow.WriteUnits);
        Near($"{name}, read units", charge.ReadUnits, flow.ReadUnits);
        Near($"{name}, table calls", charge.TableCalls, flow.TableCalls);
        Near($"{name}, queue_requests", Requests(charge, isFifo: false), flow.QueueRequests);
        Near($"{name}, fifo_requests", Requests(charge, isFifo: true), flow.FifoRequests);
    }

    [Fact]
    public void What_is_stored_is_as_large_as_the_file_says()
    {
        Near("stored_kilobytes_per_heartbeat", flows.StoredPerHeartbeat / 1000.0, Given.Measured.StoredKilobytesPerHeartbeat);
        Near("stored_kilobytes_per_execution", flows.StoredPerExecution / 1000.0, Given.Measured.StoredKilobytesPerExecution);
        Assert.Equal(
            (MeteringRecord.Retention.TotalDays, ExecutionItems.Retention.TotalDays), (Given.Measured.HeartbeatDaysKept, Given.Measured.ExecutionDaysKept));
    }

    [Fact]
    public void A_run_as_large_as_the_traffic_table_says_writes_what_the_file_says()
    {
        Assert.InRange(flows.LargeRun.Dispatch / (double)Given.Traffic.Bytes["dispatch"], 0.95, 1);      // the rest is HTTP's headers
        Assert.InRange(flows.LargeRun.Outcome / (double)Given.Traffic.Bytes["outcome"], 0.95, 1);
        Near("write_units_per_large_run", flows.WriteUnitsOfLargeRun, Given.Measured.WriteUnitsPerLargeRun);
    }

    private static int Requests(Charge charge, bool isFifo) =>
        charge.Queues.Where(queue => LocalCloud.Template.Queues.Single(one => one.Id == queue.Key).Fifo == isFifo).Sum(queue => queue.Value);

    private static void Near(string what, double measured, double written) =>
        Assert.True(
            Math.Abs(measured - written) <= Rounding,
            $"{what}: {measured:0.###} measured, {written} in bench/Capacity/measured.json. Mend it and run `dotnet run --project bench/Capacity`.");
}

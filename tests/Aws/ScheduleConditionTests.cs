using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

/// <summary>What a sweeper, a user or an operator writes to a schedule is written over the state that they saw.</summary>
public sealed class ScheduleConditionTests(LocalCloud cloud) : IAsyncLifetime
{
    private static readonly TenantId One = TenantId.Parse("tenant-1"), Two = TenantId.Parse("tenant-2");

    private readonly SetClock _clock = new(new(2026, 11, 22, 12, 0, 30, TimeSpan.Zero));
    private TestTables _tables = null!;
    private ScheduleStore _store = null!;
    private Schedule _schedule = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tables = await cloud.TablesAsync();
        _store = new(_tables.Client, _tables.Executions, _clock);
        _schedule = new()
        {
            Tenant = One,
            Workflow = WorkflowName.Parse("wf_sched"),
            Owner = new(ScheduleId.OfOperator(One, "key"), Caller: null, TeamId.Parse("T0001"), UserId.Parse("U1"), ChannelId.Parse("C1")),
            Cron = "* * * * *",
            Zone = "UTC",
            Inputs = JsonElement.Parse("{}"),
            MadeAt = _clock.Now,
            NextAt = _clock.Now.AddSeconds(30),
        };
        Assert.True(await _store.TryAddAsync(_schedule, _tables.Auditor, Cancel));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Another_tenants_schedule_is_not_there()
    {
        Assert.False(await _store.PauseAsync(_schedule with { Tenant = Two }, _tables.Auditor, Cancel));
        Assert.Null((await FoundAsync()).PausedAt);
    }

    [Fact]
    public async Task What_is_removed_is_neither_paused_nor_resumed()
    {
        Assert.True(await _store.RemoveAsync(_schedule, _tables.Auditor, Cancel));
        var before = await ItemAsync();

        Assert.False(await _store.PauseAsync(_schedule, _tables.Auditor, Cancel));
        Assert.False(await _store.ResumeAsync(_schedule, _clock.Now.AddDays(1), _tables.Auditor, Cancel));

        Assert.Equal(before, await ItemAsync());
    }

    [Fact]
    public async Task An_order_that_was_sent_before_is_not_taken_for_the_next_one()
    {
        var first = await OrderingAsync(_schedule);
        await _store.SentAsync(first, Cancel);
        var second = await OrderingAsync(await FoundAsync());

        await _store.SentAsync(first, Cancel);                              // a delivery that was long on its way

        Assert.Equal(second.OrderingAt, (await FoundAsync()).OrderingAt);
    }

    [Fact]
    public async Task One_with_an_order_to_be_sent_stays_due()
    {
        var ordering = await OrderingAsync(_schedule);
        Assert.True(await _store.PauseAsync(_schedule, _tables.Auditor, Cancel));
        await _store.ParkAsync(ordering, Cancel);
        await _store.AwaitNextAsync(ordering, Cancel);
        Assert.Equal(Due(_schedule), await DueAsync());
    }

    [Fact]
    public async Task One_that_was_resumed_meanwhile_is_not_parked()
    {
        await _store.ParkAsync(_schedule, Cancel);
        Assert.Equal(Due(_schedule), await DueAsync());
    }

    [Fact]
    public async Task One_that_has_another_next_time_by_now_does_not_await_the_old_one()
    {
        await _store.AwaitNextAsync(_schedule with { NextAt = _schedule.NextAt!.Value.AddDays(1) }, Cancel);
        Assert.Equal(Due(_schedule), await DueAsync());
    }

    [Fact]
    public async Task What_is_not_there_is_not_put_off_into_being()
    {
        await _store.PutOffAsync(ScheduleId.OfOperator(Two, "none"), TimeSpan.FromMinutes(1), Cancel);
        Assert.Single((await _tables.Client.ScanAsync(new ScanRequest(_tables.Executions), Cancel)).Items);
    }

    private async Task<Schedule> OrderingAsync(Schedule schedule)
    {
        var at = schedule.NextAt!.Value;
        return Assert.IsType<Schedule>(await _store.SettleAsync(schedule, new(at, at.AddMinutes(1), []), Cancel));
    }

    private async Task<Schedule> FoundAsync() => Assert.IsType<Schedule>(await _store.FindEvenRemovedAsync(_schedule.Id, Cancel));

    private async Task<string> ItemAsync() =>
        string.Join('\n', (await ReadAsync()).OrderBy(one => one.Key).Select(one => $"{one.Key} {one.Value.S}{one.Value.N}"));

    private async Task<string?> DueAsync() => (await ReadAsync()).GetValueOrDefault("due_at")?.N;

    private async Task<Dictionary<string, AttributeValue>> ReadAsync() =>
        (await _tables.Client.ScanAsync(new ScanRequest(_tables.Executions) { ConsistentRead = true }, Cancel)).Items.Single();

    private static string Due(Schedule schedule) => Items.Second(schedule.NextAt!.Value).N;
}

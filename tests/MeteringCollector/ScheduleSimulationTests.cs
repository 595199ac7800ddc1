using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Sweeper;
using ControlPlane.Schedules;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Timetables;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>Schedules over days around a change of the clocks and a month's end: sweeps that die at any call, come late, come two at once, or not at all for an
/// hour and a half. Everything follows from the seed.</summary>
public sealed class ScheduleSimulationTests(LocalCloud cloud)
{
    /// <summary>A mistake to plant, so that the checks are seen to find it.</summary>
    public enum Defect { None, ForgetsWhatItClaimed, OrdersUnderAnotherId, MakesUpForWhatWasMissed, FallsAsleep }

    private const int Sweeps = 50;

    private static readonly string[] Crons = ["* * * * *", "*/5 * * * *", "30 2 * * *", "15,45 0-3 * * *", "0 0 L * *"];

    private static readonly (string Zone, string Start)[] Nights =
    [
        ("Europe/Berlin", "2026-03-29T00:10:00Z"), ("Europe/Berlin", "2026-10-24T23:40:00Z"),
        ("America/New_York", "2026-03-08T06:10:00Z"), ("America/New_York", "2026-11-01T04:40:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T14:40:00Z"), ("Australia/Lord_Howe", "2026-04-04T14:10:00Z"), ("UTC", "2026-02-27T23:30:00Z"),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Length", "long")]
    public async Task Each_planned_time_comes_to_one_execution_while_the_hub_is_up_and_to_one_at_most_ever()
    {
        for (var seed = 1; seed <= Nights.Length; seed++)
            await PlayAsync(seed, Defect.None);
    }

    [Theory]
    [InlineData(Defect.ForgetsWhatItClaimed, "came to no execution")]
    [InlineData(Defect.OrdersUnderAnotherId, "for no planned time")]
    [InlineData(Defect.MakesUpForWhatWasMissed, "was noted as Missed and ran")]
    [InlineData(Defect.FallsAsleep, "came to no execution")]
    public async Task A_planted_defect_is_found(Defect defect, string words)
    {
        for (var seed = 1; ; seed++)
        {
            Assert.True(seed < 20, $"Nothing found {defect}.");
            try
            {
                await PlayAsync(seed, defect);
            }
            catch (Broken e)
            {
                Assert.Contains(words, e.Message, StringComparison.Ordinal);
                return;
            }
        }
    }

    private sealed class Broken(string what) : Exception(what);

    private async Task PlayAsync(int seed, Defect defect)
    {
        var random = new Random(seed);
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var (zone, begin) = Nights[seed % Nights.Length];
        var start = desk.Clock.Now = Text.Rfc3339.Parse(begin);
        var schedules = new List<Schedule>();
        foreach (var cron in Crons)
            schedules.Add(await AddAsync(desk, cron, zone));

        var (orders, sweeps) = (new List<ExecutionRequest>(), new List<DateTimeOffset> { start });
        var awayAt = random.Next(Sweeps);
        for (var i = 0; i < Sweeps; i++)
        {
            desk.Clock.Advance(i == awayAt ? TimeSpan.FromMinutes(90) : TimeSpan.FromSeconds(random.Next(5, 200)));
            if (defect != Defect.FallsAsleep || i is < 10 or > 30)
            {
                // What a sweep that dies leaves undone the next one, soon after, has to do.
                var fault = FaultSeam.AllFaults[random.Next(FaultSeam.AllFaults.Count)];
                await SweepAsync(desk, random.Next(3) == 0 ? FaultSeam.At(random.Next(1, 40), fault) : FaultSeam.None());
                if (defect == Defect.ForgetsWhatItClaimed)
                    foreach (var schedule in schedules)
                    {
                        var found = await FindAsync(desk, schedule);
                        await Store(desk).SentAsync(found with { OrderingAt = found.OrderingAt ?? start }, Cancel);
                    }
                desk.Clock.Advance(TimeSpan.FromSeconds(70));           // past what a failure puts off
                await (random.Next(4) == 0
                    ? Task.WhenAll(SweepAsync(desk, FaultSeam.None()), SweepAsync(desk, FaultSeam.None()))
                    : SweepAsync(desk, FaultSeam.None()));
            }
            sweeps.Add(desk.Clock.Now);
            orders.AddRange(await desk.OrdersAsync());
        }
        if (defect == Defect.OrdersUnderAnotherId)
            orders.Add(orders[^1] with { ExecutionId = ExecutionId.Of("T0001", "another").ToString() });

        foreach (var schedule in schedules)
            Check(schedule, await FindAsync(desk, schedule), orders, sweeps, defect);
    }

    private static void Check(
        Schedule schedule, Schedule now, IReadOnlyList<ExecutionRequest> orders, IReadOnlyList<DateTimeOffset> sweeps, Defect defect)
    {
        var planned = Timetable.Parse(schedule.Cron, schedule.Zone).After(sweeps[0], 5000).TakeWhile(time => time <= sweeps[^1]).ToList();
        var names = planned.ToDictionary(time => ExecutionId.OfSchedule(schedule.Id, time).ToString());
        // An order twice is one execution.
        var ran = orders.Where(order => order.RequestedBy == schedule.Owner).Select(order => order.ExecutionId).ToHashSet();
        if (defect == Defect.MakesUpForWhatWasMissed && now.Firings.FirstOrDefault(one => one.Kind == FiringKind.Missed) is { } missed)
            ran.Add(ExecutionId.OfSchedule(schedule.Id, missed.PlannedAt).ToString());
        foreach (var id in ran.Where(id => !names.ContainsKey(id)))
            throw new Broken($"{schedule.Cron}: {id} is for no planned time.");
        foreach (var (id, time) in names)
        {
            var (before, after) = (sweeps.Last(sweep => sweep < time || sweep == sweeps[0]), sweeps.First(sweep => sweep >= time));
            if (after - before <= TimeSpan.FromMinutes(5) && !ran.Contains(id))
                throw new Broken($"{schedule.Cron}: {time:u} came to no execution, though the hub was up from {before:u} to {after:u}.");
        }
        foreach (var firing in now.Firings.Where(
            one => one.Kind == FiringKind.Missed && ran.Contains(ExecutionId.OfSchedule(schedule.Id, one.PlannedAt).ToString())))
            throw new Broken($"{schedule.Cron}: {firing.PlannedAt:u} was noted as Missed and ran.");
        if (now.OrderingAt is not null)
            throw new Broken($"{schedule.Cron}: {now.OrderingAt:u} was never sent.");
    }

    private static ScheduleStore Store(OutcomeFixture desk) => new(desk.Tables.Client, desk.Tables.Executions, desk.Clock);

    private static async Task<Schedule> FindAsync(OutcomeFixture desk, Schedule schedule) => (await Store(desk).FindAsync(schedule.Id, Cancel))!;

    private static async Task<Schedule> AddAsync(OutcomeFixture desk, string cron, string zone)
    {
        var schedule = new Schedule
        {
            Tenant = OutcomeFixture.Tenant,
            Workflow = WorkflowName.Parse("wf_sched"),
            Owner = new(ScheduleId.OfOperator(OutcomeFixture.Tenant, cron), OperatorId.Parse("local:root"), TeamId: null, UserId: null, ChannelId: null),
            Cron = cron,
            Zone = zone,
            Inputs = JsonElement.Parse("{}"),
            AllowsOverlap = true,
            MadeAt = desk.Clock.Now,
            NextAt = Timetable.Parse(cron, zone).NextAfter(desk.Clock.Now),
        };
        Assert.True(await Store(desk).TryAddAsync(schedule, desk.Tables.Auditor, Cancel));
        return schedule;
    }

    private static async Task SweepAsync(OutcomeFixture desk, FaultSeam seam)
    {
        var dynamo = seam.DynamoDb(desk.Tables.Endpoint);
        var events = new MeteringEvents(new JsonLog(new MemoryStream(), desk.Clock), desk.Clock);
        var sweep = new FireSchedules(
            new(dynamo, desk.Tables.Executions, desk.Clock), new(dynamo, desk.Tables.Executions, desk.Tables.Quotas, desk.Clock),
            new(seam.Sqs(desk.QueueEndpoint), desk.Queues.ExecutionRequests, DomainJson.Default.ExecutionRequest), events, desk.Clock);
        try
        {
            await sweep.RunAsync(Cancel);
        }
        catch (Exception) when (!Cancel.IsCancellationRequested)
        {
            // It died, as it was meant to.
        }
    }
}

using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using CsCheck;

namespace ControlPlane.Tests.Flows;

/// <summary>One schedule of every minute, two sweepers, and whoever stops it, as a small specification: proved for every order of their steps, and held against
/// the tables along walks through it.</summary>
/// <remarks>A sweeper may die between any two steps, and act on what it read long ago.</remarks>
public sealed class ScheduleSpecTests(LocalCloud cloud)
{
    private const int Times = 3, Walks = 15, Steps = 40;

    private static readonly DateTimeOffset Start = new(2026, 11, 22, 12, 0, 30, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The schedule as a sweeper read it, or as its own write left it.</summary>
    /// <param name="HasSent">Whether it has sent the order that it found under way.</param>
    private readonly record struct Reading(int Next, int Ordering, bool HasSent);

    /// <param name="Came">How many planned times came; they are 1, 2, 3.</param>
    /// <param name="Next">The first planned time that nothing became of yet.</param>
    /// <param name="Ordering">The planned time that is claimed and not noted as sent; 0 for none.</param>
    /// <param name="Sent">The planned times whose order was sent, as bits.</param>
    private readonly record struct Plan(int Came, int Next, int Ordering, bool IsStopped, int Sent, Reading? One, Reading? Other)
    {
        public Reading? Of(bool one) => one ? One : Other;
        public Plan With(bool one, Reading? reading) => one ? this with { One = reading } : this with { Other = reading };
        public Plan Read(bool one) => With(one, new(Next, Ordering, HasSent: false));
        public bool MaySettle(bool one) => Of(one) is { Ordering: 0 } read && read.Next <= Came;
        public bool IsAsRead(bool one) => !IsStopped && Ordering == 0 && Of(one)!.Value.Next == Next;
        public Plan Settle(bool one) => IsAsRead(one) ? Claimed(one) : With(one, null);
        public Plan Claimed(bool one) => this with { Next = Of(one)!.Value.Next + 1, Ordering = Of(one)!.Value.Next } is var now
            ? now.With(one, new(now.Next, now.Ordering, HasSent: false))
            : default;
        public Plan Send(bool one) =>
            this with { Sent = Sent | (1 << Of(one)!.Value.Ordering) } is var now ? now.With(one, Of(one)!.Value with { HasSent = true }) : default;
        public Plan Note(bool one) => (Of(one)!.Value.Ordering == Ordering ? this with { Ordering = 0 } : this).With(one, null);
        public bool WasSent(int time) => (Sent & (1 << time)) != 0;
        public IEnumerable<int> Settled => Enumerable.Range(1, Math.Max(0, Next - 1));
    }

    private static readonly IReadOnlyList<(string Name, Func<Plan, bool> May, Func<Plan, Plan> Do)> Actions =
    [
        ("a planned time comes", plan => plan.Came < Times, plan => plan with { Came = plan.Came + 1 }),
        ("it is removed", plan => !plan.IsStopped, plan => plan with { IsStopped = true }),
        .. Of("one", one: true),
        .. Of("other", one: false),
    ];

    private static IEnumerable<(string, Func<Plan, bool>, Func<Plan, Plan>)> Of(string who, bool one) =>
    [
        ($"{who} reads", plan => plan.Of(one) is null, plan => plan.Read(one)),
        ($"{who} settles", plan => plan.MaySettle(one), plan => plan.Settle(one)),
        ($"{who} sends", plan => plan.Of(one) is { Ordering: > 0, HasSent: false }, plan => plan.Send(one)),
        ($"{who} notes", plan => plan.Of(one) is { HasSent: true }, plan => plan.Note(one)),
        ($"{who} dies", plan => plan.Of(one) is not null, plan => plan.With(one, null)),
    ];

    private static Spec<Plan> Specification()
    {
        var spec = Spec.From(new Plan(Came: 0, Next: 1, Ordering: 0, IsStopped: false, Sent: 0, null, null));
        foreach (var (name, may, then) in Actions)
            spec = spec.Action(name, may, then);
        return spec
            .Invariant("ONCE-EACH", "What was settled was sent, but for the one that is claimed.",
                plan => plan.Settled.All(time => time == plan.Ordering || plan.WasSent(time)))
            .Invariant("NONE-EARLY", "No order is sent before its planned time, nor for one that was not claimed.",
                plan => Enumerable.Range(1, Times).All(time => !plan.WasSent(time) || (time <= plan.Came && time < plan.Next)))
            .Rule("IN-TURN", "Planned times are settled one after the other.", "one settles", (before, after) => after.Next != before.Next,
                (before, after) => after.Next == before.Next + 1 && after.Ordering == before.Next)
            .Rule("STOPPED", "What is stopped claims nothing more.", "one settles", (before, _) => before.IsStopped, (before, after) => after.Next == before.Next)
            .Rule("HELD", "A claim is held until it is noted.", "one settles", (before, _) => before.Ordering != 0, (before, after) => after.Ordering == before.Ordering)
            .Reachable("ALL", "All planned times are sent and noted.", plan => plan is { Next: Times + 1, Ordering: 0 } && plan.Settled.All(plan.WasSent))
            .Reachable("STOPPED-SENT", "What was claimed before it was stopped is still sent.", plan => plan is { IsStopped: true, Next: 2, Ordering: 0 })
            .Fault("settled by whoever read it before", "one settles", (before, _) => !before.IsStopped && !before.IsAsRead(one: true),
                (before, _) => before.Claimed(one: true))
            .Fault("claimed after its end", "one settles", (before, _) => before.IsStopped, (before, _) => before.Claimed(one: true))
            .Fault("moved on without a claim", "one settles", (before, after) => after.Next != before.Next, (_, after) => after with { Ordering = 0 })
            .Fault("sent before it was claimed", "one reads", (before, _) => before.Ordering == 0, (before, after) => after with { Sent = after.Sent | (1 << before.Next) })
            .Fault("noted and not sent", "one sends", (before, _) => before.Ordering != 0, (_, after) => after with { Sent = 0 })
            .Fault("two at a time", "one settles", (before, after) => after.Next != before.Next, (_, after) => after with { Next = after.Next + 1 });
    }

    [Fact]
    public void Each_planned_time_is_sent_once_in_every_order_of_steps_and_each_planted_defect_breaks_a_rule()
    {
        Assert.True(Specification().Exhaustive().Closed);
        Assert.Empty(Specification().Faults().Uncaught);
    }

    [Fact]
    public async Task The_tables_do_what_the_rules_say_along_every_walk()
    {
        var tables = await cloud.TablesAsync();
        for (var seed = 1; seed <= Walks; seed++)
            await WalkAsync(tables, seed);
    }

    private static async Task WalkAsync(TestTables tables, int seed)
    {
        var random = new Random(seed);
        var stored = await Stored.AddAsync(tables, seed);
        var plan = new Plan(Came: 0, Next: 1, Ordering: 0, IsStopped: false, Sent: 0, null, null);
        var way = new List<string>();
        for (var step = 0; step < Steps; step++)
        {
            // It is removed near the end, if at all.
            var may = Actions.Where(action => action.May(plan) && (action.Name != "it is removed" || step > Steps / 2)).ToList();
            if (may.Count == 0)
                break;
            var (name, _, then) = may[random.Next(may.Count)];
            way.Add(name);
            var after = then(plan);
            await stored.DoAsync(name, plan, after);
            var found = await stored.ReadAsync();
            Assert.True((after.Next, after.Ordering, after.IsStopped) == found, $"seed {seed}: {string.Join(", ", way)}: the tables say {found}, the rules {after}");
            plan = after;
        }
    }

    /// <summary>The schedule in the tables, and what two sweepers hold of it.</summary>
    private sealed class Stored(TestTables tables, SetClock clock, ScheduleId id)
    {
        private readonly Schedule?[] _held = [null, null];

        private ScheduleStore Store => new(tables.Client, tables.Executions, clock);

        public static async Task<Stored> AddAsync(TestTables tables, int seed)
        {
            var tenant = TenantId.Parse("tenant-43");
            var stored = new Stored(tables, new SetClock(Start), ScheduleId.OfOperator(tenant, $"{seed}"));
            Assert.True(await stored.Store.TryAddAsync(
                new()
                {
                    Tenant = tenant,
                    Workflow = WorkflowName.Parse("wf_sched"),
                    Owner = new(ScheduleId.OfOperator(tenant, $"{seed}"), Caller: null, TeamId.Parse("T0001"), UserId.Parse("U1"), ChannelId.Parse("C1")),
                    Cron = "* * * * *",
                    Zone = "UTC",
                    Inputs = JsonElement.Parse("{}"),
                    MadeAt = Start,
                    NextAt = At(1),
                }, tables.Auditor, Cancel));
            return stored;
        }

        public async Task DoAsync(string name, Plan before, Plan after)
        {
            var who = name.StartsWith("one ", StringComparison.Ordinal) ? 0 : 1;
            switch (name.Split(' ')[^1])
            {
                case "comes":
                    clock.Now = At(after.Came);
                    break;
                case "removed":
                    Assert.True(await Store.RemoveAsync((await Store.FindAsync(id, Cancel))!, tables.Auditor, Cancel));
                    break;
                case "reads":
                    _held[who] = await Store.FindEvenRemovedAsync(id, Cancel);
                    break;
                case "settles":
                    var time = before.Of(who == 0)!.Value.Next;
                    _held[who] = await Store.SettleAsync(_held[who]!, new(At(time), At(time + 1), [new(At(time), FiringKind.Ordered)]), Cancel);
                    Assert.Equal(after.Of(who == 0) is null, _held[who] is null);
                    break;
                case "notes":
                    await Store.SentAsync(_held[who]!, Cancel);
                    break;
            }
        }

        public async Task<(int Next, int Ordering, bool IsStopped)> ReadAsync()
        {
            var now = (await Store.FindEvenRemovedAsync(id, Cancel))!;
            return (TimeOf(now.NextAt), TimeOf(now.OrderingAt), now.IsStopped);
        }

        private static DateTimeOffset At(int time) => new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero).AddMinutes(time);

        private static int TimeOf(DateTimeOffset? at) => at is { } moment ? (int)(moment - At(0)).TotalMinutes : 0;
    }
}

using ControlPlane.Aws;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using CsCheck;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>One instance, its counter, its usage and its place among its tenant's, as a small specification: proved for every order of events, and held against
/// the tables along every step.</summary>
/// <remarks>There is one place, and another instance that wants it too. Every ordinary sample adds one unit.</remarks>
public sealed class InstanceSpecTests(LocalCloud cloud)
{
    private const int Places = 1;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private enum Where { Unknown, Here, Folded }

    /// <param name="Taken">Places that the table counts as taken.</param>
    /// <param name="Other">Whether the other instance is here.</param>
    private readonly record struct Books(Where Where, int Epoch, int Counter, int Used, int Taken, bool Other)
    {
        public bool IsKnown => Where != Where.Unknown;
        public (int, int) Number => (Epoch, Counter);
        private bool HasRoom => Where == Where.Here || Taken < Places;

        public Books Sample() => HasRoom ? In() with { Epoch = Math.Max(Epoch, 1), Counter = Counter + 1, Used = Used + 1 } : this;
        public Books Restart() => HasRoom ? In() with { Epoch = Epoch + 1, Counter = 1, Used = Used + 1 } : this;
        public Books In() => this with { Where = Where.Here, Taken = Where == Where.Here ? Taken : Taken + 1 };
        public Books Fold() => this with { Where = Where.Folded, Taken = Taken - 1 };
        public Books OtherComes() => Other || Taken == Places ? this : this with { Other = true, Taken = Taken + 1 };
        public Books OtherIsFolded() => this with { Other = false, Taken = Taken - 1 };
    }

    private static Spec<Books> Specification() => Spec.From(default(Books))
        .Action("sample", books => books.Counter < 2, books => books.Sample())
        .Action("new epoch", books => books is { IsKnown: true, Epoch: < 2 }, books => books.Restart())
        .Action("the same again", books => books.IsKnown, books => books)
        .Action("a lower one", books => books.IsKnown, books => books)
        .Action("too soon", books => books.IsKnown, books => books)
        .Action("too much", books => books.IsKnown, books => books)
        .Action("too much in a new epoch", books => books.IsKnown, books => books)
        .Action("folded", books => books.Where == Where.Here, books => books.Fold())
        .Action("folded, read before", books => books is { Where: Where.Here, Counter: 2 }, books => books)
        .Action("another comes", books => books.OtherComes())
        .Action("another is folded", books => books.Other, books => books.OtherIsFolded())
        .Invariant("I6", "Who is here has a place, and there are no more than that.", books =>
            books.Taken == (books.Where == Where.Here ? 1 : 0) + (books.Other ? 1 : 0) && books.Taken is >= 0 and <= Places)
        .Never("I4-BACK", "A counter never goes back.", (before, after) => after.Number.CompareTo(before.Number) < 0)
        .Never("I4-MORE", "A sample adds no more than is believed, and usage never shrinks.", (before, after) => after.Used - before.Used is < 0 or > 1)
        .Rule("I4-SOON", "What comes too soon changes nothing.", "too soon", (_, _) => true, (before, after) => after == before)
        .Rule("I4-ONCE", "A repeat changes nothing.", "the same again", (_, _) => true, (before, after) => after == before)
        .Rule("I6-READ", "Who was heard of meanwhile is not folded.", "folded, read before", (_, _) => true, (before, after) => after == before)
        .Reachable("BACK", "One that was folded comes back and goes on.", books => books is { Where: Where.Here, Epoch: 1, Counter: 2, Used: 2 })
        .Reachable("NO-ROOM", "One that was folded finds its place taken.", books => books is { Where: Where.Folded, Other: true })
        .Fault(
            "enters without a place", "sample", (before, _) => before is { Where: Where.Unknown, Taken: Places },
            (before, _) => before.In() with { Epoch = 1, Counter = 1, Used = 1 })
        .Fault(
            "comes back without a place", "sample", (before, _) => before is { Where: Where.Folded, Taken: Places },
            (before, _) => before.In() with { Counter = before.Counter + 1, Used = before.Used + 1 })
        .Fault("keeps its place when folded", "folded", (_, _) => true, (before, after) => after with { Taken = before.Taken })
        .Fault("folded though it was heard of", "folded, read before", (_, _) => true, (before, _) => before.Fold())
        .Fault(
            "counts its totals again when it comes back", "sample", (before, after) => before.Where == Where.Folded && after != before,
            (before, after) => after with { Used = before.Used + before.Used + 1 })
        .Fault("puts the counter back", "a lower one", (before, _) => before is { Where: Where.Here, Counter: 2 }, (before, _) => before with { Counter = 1 })
        .Fault(
            "books what comes too soon", "too soon", (before, _) => before.Where == Where.Here,
            (before, _) => before with { Counter = before.Counter + 1, Used = before.Used + 1 })
        .Fault("books a repeat", "the same again", (before, _) => before.Where == Where.Here, (before, _) => before with { Used = before.Used + 1 })
        .Fault(
            "believes anything", "too much", (before, _) => before.Where == Where.Here,
            (before, _) => before with { Counter = before.Counter + 1, Used = before.Used + 1000 })
        .Fault(
            "believes anything of a new epoch", "too much in a new epoch", (before, _) => before.Where == Where.Here,
            (before, _) => before with { Epoch = before.Epoch + 1, Counter = 1, Used = before.Used + 1000 });

    [Fact]
    public void The_rules_hold_in_every_order_of_events_and_each_planted_defect_breaks_one()
    {
        Assert.True(Specification().Exhaustive().Closed);
        Assert.Empty(Specification().Faults().Uncaught);
    }

    [Fact]
    [Trait("Length", "long")]
    public async Task The_tables_do_what_the_rules_say_along_every_step()
    {
        var tables = await cloud.TablesAsync();
        var report = Specification().ConformExhaustive(
            () => new Stored(tables),
            // The engine that drives this is synchronous; nothing here has a context to wait for.
            (stored, step) => Task.Run(() => stored.DifferenceAsync(step.Action, step.After), Cancel).GetAwaiter().GetResult(),
            writeLine: line => TestContext.Current.TestOutputHelper!.WriteLine(line), threads: 1);
        Assert.Equal(report.Transitions, report.ConformedTransitions);
    }

    /// <summary>A tenant of its own in the tables, and the sidecar of one of its instances.</summary>
    private sealed class Stored(TestTables tables)
    {
        private const long Unit = 1000;
        private static readonly InstanceId One = InstanceId.Parse("i-1"), Other = InstanceId.Parse("i-2");
        private static readonly TenantId Tenant = TenantId.Parse("tenant-43");

        private readonly SetClock _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        private bool _isFresh = true;
        private Heartbeat? _last;
        private int _others;

        private InstanceStore Instances => new(tables.Client, tables.Instances, _clock);

        /// <returns>Null when the tables agree with the books after the step.</returns>
        public async Task<string?> DifferenceAsync(string step, Books expected)
        {
            if (_isFresh)
                await ForgetOthersAsync();
            _isFresh = false;
            _clock.Advance(TimeSpan.FromSeconds(60));
            await DoAsync(step);
            var stored = await ReadAsync();
            return stored == expected ? null : $"{step}: the tables say {stored}, the rules {expected}";
        }

        private async Task DoAsync(string step)
        {
            switch (step)
            {
                case "sample":
                    await BookAsync(Of(_last?.Epoch ?? 1, (_last?.Counter ?? 0) + 1, (_last?.Totals.CpuMs ?? 0) + Unit));
                    break;
                case "new epoch":
                    await BookAsync(Of(_last!.Epoch + 1, 1, Unit));
                    break;
                case "the same again":
                    await BookAsync(_last!);
                    break;
                case "a lower one":
                    await BookAsync(Of(_last!.Epoch, _last.Counter - 1, _last.Totals.CpuMs));
                    break;
                case "too soon":
                    await BookAsync(Of(_last!.Epoch, _last.Counter + 1, _last.Totals.CpuMs + Unit) with { SampledAt = _last.SampledAt.AddMilliseconds(999) });
                    break;
                case "too much":
                    await BookAsync(Of(_last!.Epoch, _last.Counter + 1, _last.Totals.CpuMs + 1_000_000_000));
                    break;
                case "too much in a new epoch":
                    await BookAsync(Of(_last!.Epoch + 1, 1, 1_000_000_000));
                    break;
                case "folded":
                    Assert.True(await Instances.TryFoldAsync((await FindAsync(One))!, Cancel));
                    break;
                case "folded, read before":
                    Assert.False(await Instances.TryFoldAsync((await FindAsync(One))! with { Counter = 1 }, Cancel));
                    break;
                case "another comes":
                    await Instances.BookAsync(Of(1, ++_others, 0) with { Instance = Other }, Places, _clock.Now, Cancel);
                    break;
                case "another is folded":
                    Assert.True(await Instances.TryFoldAsync((await FindAsync(Other))!, Cancel));
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(step));
            }
        }

        private async Task BookAsync(Heartbeat heartbeat)
        {
            if (await Instances.BookAsync(heartbeat, Places, _clock.Now, Cancel) is Booking.Booked)
                _last = heartbeat;
        }

        private Heartbeat Of(long epoch, long counter, long cpuMs) => new()
        {
            Tenant = Tenant,
            Instance = One,
            Epoch = epoch,
            Counter = counter,
            SampledAt = _clock.Now,
            Interval = TimeSpan.FromMinutes(1),
            Totals = new(cpuMs, 0),
            Machine = new(4, 0),
            BodyHash = $"{epoch}-{counter}",
            Metrics = "{}",
            KeyId = KeyIds.Of("key"),
        };

        private async Task<InstanceState?> FindAsync(InstanceId instance) => (await PlaneAsync()).Instances.FirstOrDefault(state => state.Instance == instance);

        private Task<DataPlane> PlaneAsync() => Instances.OfTenantAsync(Tenant, new(2026, 11), Cancel);

        private async Task<Books> ReadAsync()
        {
            var plane = await PlaneAsync();
            var state = plane.Instances.FirstOrDefault(one => one.Instance == One);
            var folded = await tables.Client.GetItemAsync(tables.Instances, InstanceItems.FoldedKeyOf(Tenant, One), consistentRead: true, Cancel);
            var known = state ?? (folded.IsItemSet ? InstanceItems.ToState(folded.Item) : null);
            var tenant = await tables.Client.GetItemAsync(tables.Instances, InstanceItems.TenantKeyOf(Tenant), consistentRead: true, Cancel);
            return new(
                state is not null
                    ? Where.Here
                    : known is not null
                    ? Where.Folded
                    : Where.Unknown, (int)(known?.Epoch ?? 0), (int)(known?.Counter ?? 0), (int)(plane.Usage.CpuMs / Unit),
                (int)(tenant.IsItemSet ? tenant.Item.OptionalNumber("instances") ?? 0 : 0), plane.Instances.Any(one => one.Instance == Other));
        }

        private async Task ForgetOthersAsync()
        {
            var all = await tables.Client.QueryAsync(
                new()
                {
                    TableName = tables.Instances,
                    KeyConditionExpression = "pk = :tenant",
                    ExpressionAttributeValues = new() { [":tenant"] = Items.Text(Tenant.ToString()) }
                }, Cancel);
            foreach (var item in all.Items)
                await tables.Client.DeleteItemAsync(tables.Instances, Items.Key(item["pk"].S, item["sk"].S), Cancel);
        }
    }
}

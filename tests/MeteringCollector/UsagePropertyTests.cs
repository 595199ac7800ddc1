using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;
using CsCheck;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>Whatever is lost, repeated, overtaken or restarted, and however months end: usage is what the last sample of each epoch said.</summary>
public sealed class UsagePropertyTests
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 30, 0, 0, 0, TimeSpan.Zero);

    private enum Delivery { Taken, Lost, Doubled, OvertakenByTheNext }

    private readonly record struct Step(bool Restart, int Minutes, int CpuMs, int GpuMs, Delivery Delivery, int ClockOffMinutes);

    private static readonly Gen<Step> Steps =
        from restart in Gen.Frequency((9, Gen.Const(false)), (1, Gen.Const(true)))
        from minutes in Gen.Frequency((8, Gen.Int[1, 3]), (2, Gen.Int[100, 40_000]))
        from cpu in Gen.Int[0, 1000]
        from gpu in Gen.Int[0, 10]
        from delivery in Gen.Enum<Delivery>()
        from off in Gen.Frequency((9, Gen.Const(0)), (1, Gen.Int[-120, 5]))
        select new Step(restart, minutes, cpu, gpu, delivery, off);

    [Fact]
    public void Usage_is_exact_and_months_add_up_to_it() => Steps.List[1, 60].Sample(steps =>
    {
        var sidecar = new Run(Begin);
        var books = new Books();
        Heartbeat? heldBack = null;
        foreach (var step in steps)
        {
            var sample = sidecar.Next(step);
            switch (step.Delivery)
            {
                case Delivery.Taken:
                    books.Deliver(sample, sidecar.Now);
                    break;
                case Delivery.Doubled:
                    books.Deliver(sample, sidecar.Now);
                    books.Deliver(sample, sidecar.Now);
                    break;
                case Delivery.OvertakenByTheNext:
                    heldBack = sample;
                    continue;
            }
            if (heldBack is not null && step.Delivery != Delivery.Lost)
                books.Deliver(heldBack, sidecar.Now);           // older than the one before: refused, and nothing is missing
            heldBack = null;
        }
        books.AssertExact();
    });

    /// <summary>A sidecar and the machine it runs on.</summary>
    private sealed class Run(DateTimeOffset begin)
    {
        private long _epoch = begin.ToUnixTimeSeconds();
        private long _counter;
        private ComputeTime _totals;

        public DateTimeOffset Now { get; private set; } = begin;

        public Heartbeat Next(Step step)
        {
            Now = Now.AddMinutes(step.Minutes);
            if (step.Restart)
                (_epoch, _counter, _totals) = (Now.ToUnixTimeSeconds(), 0, ComputeTime.Zero);
            _totals += new ComputeTime(step.CpuMs, step.GpuMs);
            return new()
            {
                Tenant = TenantId.Parse("tenant-43"),
                Instance = InstanceId.Parse("i-1"),
                Epoch = _epoch,
                Counter = ++_counter,
                SampledAt = Now.AddMinutes(step.ClockOffMinutes),
                Interval = TimeSpan.FromMinutes(1),
                Totals = _totals,
                Machine = new(1, 1),
                BodyHash = $"{_epoch}-{_counter}",
                Metrics = "{}",
                KeyId = KeyIds.Of("key"),
            };
        }
    }

    /// <summary>The rule's state beside a plain account of what it was given.</summary>
    private sealed class Books
    {
        private readonly Dictionary<long, ComputeTime> _highest = [];
        private readonly Dictionary<Month, ComputeTime> _byMonth = [];
        private readonly List<ClosedMonth> _closed = [];
        private InstanceState? _state;

        public void Deliver(Heartbeat heartbeat, DateTimeOffset now)
        {
            var before = _state;
            var decision = BookingRule.Decide(_state, heartbeat, now);
            if (decision.Next is not { } next)
            {
                Assert.True(decision.Booking is Booking.Repeated or Booking.Replayed or Booking.TooSoon or Booking.TooOld);
                return;
            }

            Assert.True(before is null || (next.Epoch, next.Counter).CompareTo((before.Epoch, before.Counter)) > 0);
            Assert.True(before is null || next.Month.CompareTo(before.Month) >= 0);
            var already = _highest.GetValueOrDefault(heartbeat.Epoch);
            _highest[heartbeat.Epoch] = heartbeat.Totals;
            _byMonth[next.Month] = _byMonth.GetValueOrDefault(next.Month) + (heartbeat.Totals - already);
            if (decision.Closed is { } closed)
                _closed.Add(closed);
            _state = next;
        }

        public void AssertExact()
        {
            if (_state is null)
                return;
            Assert.Equal(Sum(_highest.Values), _state.Lifetime);
            Assert.Equal(_state.Lifetime, Sum(_closed.Select(closed => closed.Usage)) + _state.InMonth);
            Assert.Equal(_closed.Count, _closed.Select(closed => closed.Month).Distinct().Count());
            foreach (var (month, usage) in _byMonth)
                Assert.Equal(usage, new DataPlane(_state.Tenant, month, [_state], _closed, LastTold: null).Usage);
        }

        private static ComputeTime Sum(IEnumerable<ComputeTime> parts) => parts.Aggregate(ComputeTime.Zero, (sum, part) => sum + part);
    }
}

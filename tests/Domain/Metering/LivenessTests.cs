using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Metering;

public sealed class LivenessTests
{
    private static readonly DateTimeOffset Seen = DateTimeOffset.UnixEpoch.AddYears(56);

    [Theory]
    [InlineData(-5, Liveness.Healthy)]
    [InlineData(0, Liveness.Healthy)]
    [InlineData(90, Liveness.Healthy)]
    [InlineData(90.001, Liveness.Late)]
    [InlineData(180, Liveness.Late)]
    [InlineData(180.001, Liveness.Offline)]
    public void Liveness_goes_by_the_silence(double seconds, Liveness expected) => Assert.Equal(expected, Liveness.Of(Seen, Seen.AddSeconds(seconds)));

    [Fact]
    public void A_tenant_is_as_well_as_its_best_instance()
    {
        var plane = Plane(State("i-1", Seen.AddSeconds(-500)), State("i-2", Seen.AddSeconds(-100)));
        var health = plane.HealthAt(Seen);

        Assert.Equal(new TenantHealth(Liveness.Late, Seen.AddSeconds(-100), Healthy: 0, Instances: 2), health);
    }

    [Fact]
    public void A_tenant_never_heard_of_has_no_health() => Assert.Null(Plane().HealthAt(Seen));

    [Fact]
    public void A_months_usage_is_that_of_the_instances_in_it_and_of_those_that_have_closed_it()
    {
        var plane = Plane(
            State("i-1", Seen) with { Base = new(1000, 10), Totals = new(500, 5), AtMonthStart = new(900, 8) },
            State("i-2", Seen) with { Month = new(2026, 2), Totals = new(70, 7), AtMonthStart = new(60, 6) },
            State("i-3", Seen) with { Month = new(2025, 12), Totals = new(9999, 9999) }) with
        {
            ClosedMonths = [Closed("i-2", new(2026, 1), new(60, 6)), Closed("i-2", new(2026, 2), new(1, 1))],
        };

        Assert.Equal(new ComputeTime(660, 13), plane.Usage);
    }

    [Fact]
    public void Until_somebody_is_told_otherwise_a_tenant_is_well()
    {
        Assert.Equal(Liveness.Healthy, Plane().Told);
        Assert.Equal(Liveness.Offline, (Plane() with { LastTold = Liveness.Offline }).Told);
    }

    [Fact]
    public void Healthy_instances_are_counted_among_all()
    {
        var plane = Plane(State("i-1", Seen), State("i-2", Seen.AddSeconds(-90)), State("i-3", Seen.AddSeconds(-91)), State("i-4", Seen.AddDays(-30)));
        Assert.Equal(new TenantHealth(Liveness.Healthy, Seen, Healthy: 2, Instances: 4), plane.HealthAt(Seen));
    }

    [Fact]
    public void Metered_GPU_time_lacks_something_since_the_first_instance_that_cannot_tell_and_reports()
    {
        var plane = Plane(
            State("i-1", Seen) with { GpuUnreadableSince = Seen.AddHours(-1) },
            State("i-2", Seen.AddSeconds(-180)) with { GpuUnreadableSince = Seen.AddHours(-2) },
            State("i-3", Seen.AddSeconds(-181)) with { GpuUnreadableSince = Seen.AddHours(-3) },       // offline: nothing is known of it anyway
            State("i-4", Seen));
        Assert.Equal(["i-1", "i-2"], plane.WithUnreadableGpusAt(Seen).Select(one => one.Instance.ToString()));
        Assert.Equal(Seen.AddHours(-2), plane.HealthAt(Seen)!.GpuUnreadableSince);
    }

    [Theory]
    [InlineData(Liveness.Healthy, "HEALTHY"), InlineData(Liveness.Late, "LATE"), InlineData(Liveness.Offline, "OFFLINE")]
    public void Each_liveness_has_one_word(Liveness liveness, string name) => Assert.Equal((name, liveness), (liveness.Name, Liveness.Parse(name)));

    [Fact]
    public void Another_word_is_none()
    {
        Assert.Throws<FormatException>(() => Liveness.Parse("healthy"));
        Assert.Throws<ArgumentOutOfRangeException>(() => ((Liveness)3).Name);
    }

    [Theory]
    [InlineData(-1, false), InlineData(0, true), InlineData(1, true)]
    public void After_thirty_one_days_of_silence_an_instance_gives_up_its_place(int seconds, bool isDue) =>
        Assert.Equal(isDue, FoldRule.IsDue(State("i-1", Seen), Seen.AddDays(31).AddSeconds(seconds)));

    private static DataPlane Plane(params InstanceState[] instances) => new(TenantId.Parse("tenant-43"), new(2026, 1), instances, [], LastTold: null);

    private static ClosedMonth Closed(string instance, Month month, ComputeTime usage) =>
        new(TenantId.Parse("tenant-43"), InstanceId.Parse(instance), month, usage);

    private static InstanceState State(string instance, DateTimeOffset lastSeen) => new()
    {
        Tenant = TenantId.Parse("tenant-43"),
        Instance = InstanceId.Parse(instance),
        Epoch = 1,
        Counter = 1,
        BodyHash = "",
        Base = ComputeTime.Zero,
        Totals = ComputeTime.Zero,
        Month = new(2026, 1),
        AtMonthStart = ComputeTime.Zero,
        SampledAt = lastSeen,
        LastSeen = lastSeen,
        FirstSeen = lastSeen,
    };
}

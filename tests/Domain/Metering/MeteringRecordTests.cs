using ControlPlane.Metering;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Metering;

public sealed class MeteringRecordTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(7, 5, 0), InlineData(7, 6, 1), InlineData(7, 14, 9)]
    [InlineData(7, 4, null), InlineData(7, 3, null)]                // the same again, or an earlier one
    [InlineData(8, 1, 0), InlineData(8, 3, 2)]                      // a new epoch counts from one
    [InlineData(6, 9, null)]
    public void What_is_missing_before_a_sample_is_a_gap(long epoch, long counter, int? gap) =>
        Assert.Equal(gap, (Record() with { Epoch = epoch, Counter = counter }).GapAfter(Record() with { Epoch = 7, Counter = 4 }));

    [Theory]
    [InlineData(0, true), InlineData(59, true), InlineData(60, false), InlineData(61, false)]
    public void An_invitation_is_open_until_it_ends_and_once(int minutes, bool isOpen)
    {
        var invite = new EnrolmentInvite("hash", TenantId.Parse("tenant-1"), null, Now, Now + EnrolmentInvite.StandardLifetime);
        Assert.Equal(isOpen, invite.IsOpenAt(Now.AddMinutes(minutes)));
        Assert.False((invite with { UsedAt = Now }).IsOpenAt(Now.AddMinutes(minutes)));
    }

    [Theory]
    [InlineData(0, 0, 0, 0, true), InlineData(5, 5, 5, 5, true), InlineData(6, 5, 5, 5, true), InlineData(5, 6, 5, 5, true)]
    [InlineData(4, 5, 5, 5, false), InlineData(5, 4, 5, 5, false), InlineData(9, 4, 5, 5, false), InlineData(4, 9, 5, 5, false)]
    public void Of_two_times_one_is_no_less_where_neither_part_is(long cpu, long gpu, long otherCpu, long otherGpu, bool isAtLeast) =>
        Assert.Equal(isAtLeast, new ComputeTime(cpu, gpu).IsAtLeast(new(otherCpu, otherGpu)));

    [Fact]
    public void Times_add_and_subtract_part_by_part_and_never_wrap_around()
    {
        Assert.Equal((new(11, 22), new ComputeTime(9, 18)), (new ComputeTime(10, 20) + new ComputeTime(1, 2), new ComputeTime(10, 20) - new ComputeTime(1, 2)));
        Assert.Throws<OverflowException>(() => new ComputeTime(long.MaxValue, 0) + new ComputeTime(1, 0));
        Assert.Throws<OverflowException>(() => new ComputeTime(0, long.MinValue) - new ComputeTime(0, 1));
    }

    [Theory]
    [InlineData(1000, 4000, 2000), InlineData(0, 0, 0), InlineData(-1000, 0, 0)]
    public void A_machine_works_with_all_it_has_and_not_backwards(int milliseconds, long cpu, long gpu) =>
        Assert.Equal(new ComputeTime(cpu, gpu), new Machine(Cpus: 4, Gpus: 2).In(TimeSpan.FromMilliseconds(milliseconds)));

    private static MeteringRecord Record() => new(
        TenantId.Parse("tenant-1"), InstanceId.Parse("i-1"), 1, 1, Now, TimeSpan.FromMinutes(1), ComputeTime.Zero, "{}", KeyId.Parse(new('A', 43)));
}

using ControlPlane.Quotas;

namespace ControlPlane.Tests.Domain.Quotas;

public sealed class UsageWarningTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 1000, null)]
    [InlineData(799, 1000, null)]
    [InlineData(800, 1000, 80)]
    [InlineData(999, 1000, 80)]
    [InlineData(1000, 1000, 100)]
    [InlineData(5000, 1000, 100)]               // the limit was lowered, or an end came late
    [InlineData(3, 4, null)]                    // 75 %
    [InlineData(4, 5, 80)]
    [InlineData(1, 1, 100)]
    [InlineData(0, 0, null)]
    [InlineData(7, 0, null)]
    [InlineData(long.MaxValue, long.MaxValue, 100)]
    [InlineData(long.MaxValue / 5 * 4, long.MaxValue, null)]
    public void The_highest_threshold_that_is_reached_counts(long used, long most, int? percent) =>
        Assert.Equal(percent, UsageWarningRule.ReachedBy(new(MonthlyLimit.Gpu, used, most)));

    [Theory]
    [InlineData(80, null, false, 0, true)]
    [InlineData(100, null, false, 0, true)]
    [InlineData(100, 80, true, 0, true)]
    [InlineData(100, 80, false, 0, true)]       // the lower one may never be told: the higher says more
    [InlineData(80, 100, true, 999, false)]
    [InlineData(80, 100, false, 999, false)]
    [InlineData(80, 80, true, 999, false)]
    [InlineData(80, 80, false, 119, false)]     // whoever took it is telling it
    [InlineData(80, 80, false, 120, true)]
    public void A_warning_is_due_once_and_again_where_its_teller_died(int percent, int? last, bool isTold, int secondsAgo, bool isDue) =>
        Assert.Equal(isDue, UsageWarningRule.IsDue(
            percent, last is { } before ? new(before, Now.AddSeconds(-secondsAgo), isTold ? Now : null) : null, Now));
}

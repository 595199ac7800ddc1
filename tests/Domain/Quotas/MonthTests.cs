using ControlPlane.Quotas;

namespace ControlPlane.Tests.Domain.Quotas;

public sealed class MonthTests
{
    [Theory]
    [InlineData("2026-11-01T00:00:00Z", "2026-11"), InlineData("2026-10-31T23:59:59.999Z", "2026-10")]
    [InlineData("2026-11-01T00:30:00+02:00", "2026-10"), InlineData("2026-12-31T23:00:00-02:00", "2027-01")]         // in UTC, wherever it was said
    public void A_moment_belongs_to_its_month_in_UTC(string time, string month) =>
        Assert.Equal(month, Month.Of(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture)).ToString());

    [Theory]
    [InlineData("2026-11", 0, "2026-11"), InlineData("2026-11", 10, "2026-01"), InlineData("2026-01", 1, "2025-12"), InlineData("2026-01", 25, "2023-12")]
    public void Months_are_counted_back_over_the_year(string from, int months, string to) => Assert.Equal(to, Month.Parse(from).Before(months).ToString());

    [Theory]
    [InlineData("2026-1"), InlineData("2026-13"), InlineData("2026-00"), InlineData("26-11"), InlineData("2026-11-01"), InlineData(" 2026-11"), InlineData("")]
    public void Anything_else_is_no_month(string text) => Assert.Throws<FormatException>(() => Month.Parse(text));

    [Theory]
    [InlineData("2026-11", "2026-11", 0), InlineData("2026-11", "2026-12", -1), InlineData("2026-12", "2027-01", -1), InlineData("2027-01", "2026-12", 1)]
    public void The_year_comes_before_the_month(string one, string other, int order) =>
        Assert.Equal(order, Math.Sign(Month.Parse(one).CompareTo(Month.Parse(other))));

    [Fact]
    public void What_is_charged_and_not_used_is_reserved() => Assert.Equal(3, new MonthUsage(10, 7, ExecutionUsage.None).Reserved);

    [Fact]
    public void What_engines_report_adds_up_part_by_part() =>
        Assert.Equal(new(11, 22, 33, 44), new ExecutionUsage(1, 2, 3, 4) + new ExecutionUsage(10, 20, 30, 40));
}

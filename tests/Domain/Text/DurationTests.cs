using ControlPlane.Text;
using CsCheck;

namespace ControlPlane.Tests.Domain.Text;

public sealed class DurationTests
{
    [Theory]
    [InlineData("90s", 90), InlineData("60m", 3600), InlineData("1h30m", 5400), InlineData("2h3m4s", 7384), InlineData("1h5s", 3605), InlineData("0s", 0)]
    [InlineData("999999s", 999_999)]
    public void What_people_type_is_read(string text, long seconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData(""), InlineData("5"), InlineData("m"), InlineData("-5m"), InlineData("5 m"), InlineData("5m "), InlineData("1.5h"), InlineData("30m1h")]
    [InlineData("1h1h"), InlineData("5M"), InlineData("٣m"), InlineData("1000000s"), InlineData("5m\n")]
    public void Anything_else_is_none(string text)
    {
        Assert.False(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.Zero, duration);
    }

    [Theory]
    [InlineData(0, "0s"), InlineData(999, "0s"), InlineData(1000, "1s"), InlineData(90_000, "1m30s"), InlineData(3_600_000, "1h"), InlineData(90_061_000, "25h1m1s")]
    [InlineData(-1, "-0s"), InlineData(-90_000, "-1m30s")]
    public void It_is_written_as_people_type_it(long milliseconds, string text) => Assert.Equal(text, Duration.Format(TimeSpan.FromMilliseconds(milliseconds)));

    [Fact]
    public void What_is_written_is_read_as_the_same() => Gen.Int[0, 3_599_999].Sample(seconds =>
        Assert.True(Duration.TryParse(Duration.Format(TimeSpan.FromSeconds(seconds)), out var read) && read == TimeSpan.FromSeconds(seconds)));
}

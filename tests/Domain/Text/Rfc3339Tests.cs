using ControlPlane.Text;
namespace ControlPlane.Tests.Domain.Text;

public class Rfc3339Tests
{
    [Theory]
    [InlineData("2026-01-01T00:01:00Z", "2026-01-01T00:01:00.000Z")]
    [InlineData("2026-01-01T00:01:00.5Z", "2026-01-01T00:01:00.500Z")]
    [InlineData("2026-01-01T23:59:59.9999999Z", "2026-01-01T23:59:59.999Z")]
    [InlineData("2026-01-01T00:01:00+00:00", "2026-01-01T00:01:00.000Z")]
    [InlineData("2026-01-01T00:01:00-00:00", "2026-01-01T00:01:00.000Z")]
    [InlineData("2026-01-01T00:01:00.25+00:00", "2026-01-01T00:01:00.250Z")]
    [InlineData("2026-01-01T00:01:00.12345678Z", "2026-01-01T00:01:00.123Z")]
    [InlineData("2026-01-01T23:59:59.999999999Z", "2026-01-01T23:59:59.999Z")]
    [InlineData("2026-01-01T23:59:59.999999999+00:00", "2026-01-01T23:59:59.999Z")]
    public void A_time_in_UTC_is_read_and_written_with_milliseconds(string text, string written)
    {
        Assert.True(Rfc3339.TryParse(text, out var time));
        Assert.Equal(written, Rfc3339.Format(time));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("2026-01-01")]
    [InlineData("2026-01-01T00:01:00")]
    [InlineData("2026-01-01T00:01:00+01:00")]
    [InlineData("2026-01-01T00:01:00+0000")]
    [InlineData("2026-01-01T00:01:00+00:00Z")]
    [InlineData("2026-01-01T00:01:00ZZ")]
    [InlineData("2026-01-01T00:01:00.+00:00")]
    [InlineData("2026-01-01T00:01:00.12345678xZ")]
    [InlineData("2026-01-01T00:01:00.1234567 1Z")]
    [InlineData("2026-01-01T00:01:00,5Z")]
    [InlineData("2026-01-01 00:01:00Z")]
    [InlineData("2026-01-01T00:01:00.Z")]
    [InlineData("2026-13-01T00:01:00Z")]
    [InlineData("2026-01-01T24:01:00Z")]
    [InlineData("2026-01-01T00:01:00.1234567890Z")]
    [InlineData("20260-01-01T00:01:00Z")]
    public void Anything_else_is_no_time(string? text) => Assert.False(Rfc3339.TryParse(text, out _));

    [Theory]
    [InlineData("2026-01-01T00:01:00Z", "2026-01-01T00:01:00.000Z")]
    [InlineData("2026-01-01T00:01:00+00:00", "2026-01-01T00:01:00.000Z")]
    [InlineData("2026-01-01T00:01:00-05:00", "2026-01-01T05:01:00.000Z")]
    [InlineData("2026-01-01T00:01:00.25+05:30", "2025-12-31T18:31:00.250Z")]
    [InlineData("2026-01-01T00:01:00+23:59", "2025-12-31T00:02:00.000Z")]
    [InlineData("0001-01-01T01:00:00+01:00", "0001-01-01T00:00:00.000Z")]
    [InlineData("9999-12-31T22:59:59-01:00", "9999-12-31T23:59:59.000Z")]
    public void A_time_with_an_offset_becomes_UTC(string text, string written)
    {
        Assert.True(Rfc3339.TryParseWithOffset(text, out var time));
        Assert.Equal((written, TimeSpan.Zero), (Rfc3339.Format(time), time.Offset));
    }

    [Theory]
    [InlineData(null), InlineData(""), InlineData("+05:00"), InlineData("2026-01-01T00:01:00"), InlineData("2026-01-01T00:01:00 05:00")]
    [InlineData("2026-01-01T00:01:00+0500"), InlineData("2026-01-01T00:01:00+05-00"), InlineData("2026-01-01T00:01:00+24:00")]
    [InlineData("2026-01-01T00:01:00+00:60"), InlineData("2026-01-01T00:01:00+ 5:00"), InlineData("2026-01-01T00:01:00+05: 0")]
    [InlineData("2026-01-01T00:01:00Z+05:00"), InlineData("2026-13-01T00:01:00+05:00"), InlineData("2026-01-01T00:01:00+a5:00")]
    [InlineData("0001-01-01T00:59:59+01:00"), InlineData("9999-12-31T23:00:00-01:00")]         // before the first moment, after the last
    public void An_offset_that_no_clock_has_makes_no_time(string? text) => Assert.False(Rfc3339.TryParseWithOffset(text, out _));

    [Fact]
    public void What_is_no_time_is_said_to_be_none() => Assert.Throws<FormatException>(() => Rfc3339.Parse("noon"));
}

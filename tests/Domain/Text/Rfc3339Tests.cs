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
}

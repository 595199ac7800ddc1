using ControlPlane.Executions;

namespace ControlPlane.Tests.Domain.Executions;

public sealed class ProgressTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(null, 0.0)]         // never told: now
    [InlineData(-3600.0, 0.0)]
    [InlineData(-60.0, 0.0)]
    [InlineData(-59.0, 1.0)]        // told a moment ago: a minute after that
    [InlineData(0.0, 60.0)]
    [InlineData(1.0, null)]         // on its way already
    public void Progress_is_told_a_minute_apart(double? lastTold, double? tellIn) =>
        Assert.Equal(Now + Seconds(tellIn), Progress.TellAt(Now + Seconds(lastTold), Now));

    private static TimeSpan? Seconds(double? seconds) => seconds is { } given ? TimeSpan.FromSeconds(given) : null;
}

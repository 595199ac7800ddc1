using ControlPlane.Metering;

namespace ControlPlane.Tests.Domain.Metering;

/// <summary>When a silence is its tenant's own: the hub's absence, and everybody's, tell nothing of one tenant.</summary>
public sealed class WatchStateTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    // Seconds ago.
    [Theory]
    [InlineData(60, null, null, null, true)]
    [InlineData(null, null, null, null, false)]                 // nobody ever looked
    [InlineData(179, null, null, null, true), InlineData(180, null, null, null, false)]
    [InlineData(60, 300, null, null, true), InlineData(60, 299, null, null, false)]         // just back
    [InlineData(60, null, 1, null, false), InlineData(60, null, 7200, null, false)]         // most are silent together
    [InlineData(60, null, null, 300, true), InlineData(60, null, null, 299, false)]         // and were until a moment ago
    public void A_silence_tells_something_where_the_hub_was_there_and_others_were_heard(
        int? swept, int? back, int? outage, int? outageEnded, bool tells) =>
        Assert.Equal(tells, new WatchState(Ago(swept), Ago(back), Ago(outage), Ago(outageEnded)).CanTellSilence(Now));

    [Theory]
    [InlineData(null, false), InlineData(0, true), InlineData(1799, true), InlineData(1800, false)]
    public void One_alert_stands_for_all_for_half_an_hour(int? outage, bool mutes) =>
        Assert.Equal(mutes, new WatchState(Now, null, Ago(outage), null).MutesAt(Now));

    private static DateTimeOffset? Ago(int? seconds) => seconds is { } given ? Now.AddSeconds(-given) : null;
}

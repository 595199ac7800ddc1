namespace ControlPlane.Tests.Support;

/// <summary>A clock that shows what it is set to. Its timers run as ever, so that short pauses between retries pass.</summary>
internal sealed class SetClock(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;

    public void Advance(TimeSpan time) => Now += time;
}

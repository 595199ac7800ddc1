namespace ControlPlane.Tests.Support;

/// <summary>A clock that shows what it is set to. Its timers run as ever, so that short pauses between retries pass.</summary>
public sealed class SetClock(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;

    public void Advance(TimeSpan time) => Now += time;
}

/// <summary>Another clock's time, with timers that run ten times as long: a busy machine does not end what a test of something else waits for.</summary>
public sealed class PatientClock(TimeProvider clock) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime > TimeSpan.FromSeconds(1) ? dueTime * 10 : dueTime, period);
}

/// <summary>Another clock's time, with timers of seconds that run five times as fast: what waits for its own deadline waits no longer than it must.</summary>
public sealed class HastyClock(TimeProvider clock) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime > TimeSpan.FromSeconds(1) ? dueTime / 5 : dueTime, period);
}

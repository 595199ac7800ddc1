using Amazon.Lambda.Core;

namespace ControlPlane.Aws;

/// <summary>Ends the work a little before Lambda would end the process, so that there is time left to say so.</summary>
public sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenSource? _own;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _time;
    private readonly long _began;

    private Deadline(CancellationTokenSource source, TimeSpan time, TimeProvider clock, CancellationTokenSource? own = null)
    {
        (_source, _own, _clock, _time) = (source, own, clock, time);
        _began = clock.GetTimestamp();
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Whether something that takes this long, begun now, ends before the work is ended: of what is cut in the middle nobody knows whether it was
    /// done.</summary>
    public bool HasTimeFor(TimeSpan time) => !Token.IsCancellationRequested && _time - _clock.GetElapsedTime(_began) >= time;

    /// <summary>A time of its own for one of several who work side by side, so that one who is slow does not use up what the others have.</summary>
    public static Deadline Slice(TimeSpan atMost, TimeProvider clock, CancellationToken cancel)
    {
        var own = new CancellationTokenSource(atMost, clock);
        return new(CancellationTokenSource.CreateLinkedTokenSource(own.Token, cancel), atMost, clock, own);
    }

    /// <param name="keepBack">Left for the answer.</param>
    public static Deadline Of(ILambdaContext context, TimeSpan keepBack, TimeProvider clock) => In(context.RemainingTime - keepBack, clock);

    /// <param name="atMost">A bound of our own, such as Slack's three seconds.</param>
    public static Deadline Of(ILambdaContext context, TimeSpan keepBack, TimeSpan atMost, TimeProvider clock) =>
        In(context.RemainingTime - keepBack < atMost ? context.RemainingTime - keepBack : atMost, clock);

    public void Dispose()
    {
        _source.Dispose();
        _own?.Dispose();
    }

    private static Deadline In(TimeSpan time, TimeProvider clock)
    {
        var left = time > TimeSpan.Zero ? time : TimeSpan.Zero;
        return new(new(left, clock), left, clock);
    }
}

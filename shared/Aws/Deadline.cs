using Amazon.Lambda.Core;

namespace ControlPlane.Aws;

/// <summary>Ends the work a little before Lambda would end the process, so that there is time left to say so.</summary>
public sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenSource? _own;

    private Deadline(CancellationTokenSource source, CancellationTokenSource? own = null) => (_source, _own) = (source, own);

    public CancellationToken Token => _source.Token;

    /// <summary>A time of its own for one of several who work side by side, so that one who is slow does not use up what the others have.</summary>
    public static Deadline Slice(TimeSpan atMost, TimeProvider clock, CancellationToken cancel)
    {
        var own = new CancellationTokenSource(atMost, clock);
        return new(CancellationTokenSource.CreateLinkedTokenSource(own.Token, cancel), own);
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

    private static Deadline In(TimeSpan time, TimeProvider clock) => new(new(time > TimeSpan.Zero ? time : TimeSpan.Zero, clock));
}

using System.Diagnostics;
using ControlPlane.Local.Output;
using ControlPlane.Local.Processes;

namespace ControlPlane.Local.Demo;

/// <summary>What shows that a step was taken, and when it was.</summary>
internal sealed record Evidence(string InWords, DateTimeOffset At);

/// <summary>A traffic flow of the platform, played step by step. A step counts once its evidence was seen.</summary>
internal sealed class Flow(string name, int steps, Screen screen, Pace pace, TimeProvider clock)
{
    private readonly TimeSpan _patience = pace.Of(TimeSpan.FromSeconds(30));

    private DateTimeOffset? _start;
    private int _taken;

    public bool ReachedItsEnd => _taken == steps;

    public void Begin() => screen.Begin(name);

    /// <summary>Waits for the next step's evidence and shows it.</summary>
    /// <exception cref="StepNotSeen">It did not come in time, or shows the opposite.</exception>
    public async Task<T> StepAsync<T>(string title, Func<CancellationToken, Task<(T Thing, Evidence Evidence)>> seeAsync, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(_patience);
        try
        {
            var (thing, evidence) = await seeAsync(patience.Token);
            _start ??= evidence.At;
            screen.Step(++_taken, title, evidence.InWords, evidence.At - _start.Value);
            return thing;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new StepNotSeen($"Step {_taken + 1} ({title}) was not seen within {_patience.TotalSeconds:0} s.");
        }
    }

    public Task StepAsync(string title, Func<CancellationToken, Task<Evidence>> seeAsync, CancellationToken cancel) =>
        StepAsync(title, async token => (0, await seeAsync(token)), cancel);

    /// <summary>Reads again until the reading shows what it should.</summary>
    public async Task<T> UntilAsync<T>(Func<Task<T?>> readAsync, Func<T, bool> shows, CancellationToken cancel) where T : class
    {
        while (true)
        {
            if (await readAsync() is { } read && shows(read))
                return read;
            await Task.Delay(TimeSpan.FromMilliseconds(40), clock, cancel);
        }
    }

    public void End(string inWords) => screen.End(ReachedItsEnd ? inWords : throw new UnreachableException($"{name} ended after {_taken} of {steps} steps."));
}

/// <summary>A flow did not go its way.</summary>
internal sealed class StepNotSeen(string message) : Exception(message);

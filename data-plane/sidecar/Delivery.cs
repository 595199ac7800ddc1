using System.Text.Json;

namespace ControlPlane.Sidecar;

/// <summary>Delivers waiting samples, the oldest first, each until it is booked or refused for good.</summary>
internal sealed class Delivery(Spool spool, Meter meter, IReadOnlyList<SigningKey> keys, HeartbeatEndpoint endpoint, Journal journal, TimeProvider clock)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPauseForOperator = TimeSpan.FromMinutes(5);
    private static readonly (int Least, int Most) Intervals = (10, 3600);

    private int _failures;

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await DrainAsync(stop);
                stop.ThrowIfCancellationRequested();
                await spool.WaitAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // What waits, waits on disk.
        }
    }

    /// <summary>Delivers until nothing waits, or until it is stopped.</summary>
    public async Task DrainAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested && spool.Oldest() is { } heartbeat)
                if (await DeliverAsync(heartbeat, stop) is { } pause)
                    await Task.Delay(pause, clock, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // As above.
        }
    }

    /// <returns>How long to wait before the next attempt, or null to go on at once.</returns>
    internal async Task<TimeSpan?> DeliverAsync(Heartbeat heartbeat, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var answer = await endpoint.PostAsync(heartbeat.Body, heartbeat.HeadersAt(now, meter.Instance, keys), stop);
        var fate = SampleFate.Of(answer, heartbeat.Epoch, now);
        if (fate is SampleFate.Again again)
            return PauseAfter(heartbeat, answer, again);

        _failures = 0;
        switch (fate)
        {
            case SampleFate.Booked:
                NoteBooked(heartbeat, answer);
                if (spool.Remove(heartbeat) is { } state)
                    meter.NoteSafe(state);
                break;
            case SampleFate.Overtaken:
                spool.Remove(heartbeat);
                break;
            case SampleFate.NeedsNewEpoch newEpoch:
                if (heartbeat.Epoch == meter.Epoch && meter.IsEpochBooked && newEpoch.Above > 0)
                    SayTwin($"it began epoch={newEpoch.Above} while ours was being counted");
                if (heartbeat.Epoch == meter.Epoch)
                    meter.BeginEpochAbove(newEpoch.Above);
                spool.SetAside(heartbeat);
                journal.Say($"new epoch={meter.Epoch} because epoch={heartbeat.Epoch} is not taken: {answer.Code}");
                break;
            case SampleFate.SetAside:
                if (answer.Status == 409)
                    SayTwin("it sent another sample under the same number");
                spool.SetAside(heartbeat);
                journal.Say($"refused epoch={heartbeat.Epoch} counter={heartbeat.Counter} status={answer.Status} code={answer.Code}");
                break;
        }
        return null;
    }

    // Numbers only we give were given by somebody else: a copied machine, a second process. Usage of both is booked; which is whose nobody can say.
    private void SayTwin(string how) =>
        journal.Say($"another sidecar reports as instance={meter.Instance}: {how}. Give each machine its own --instance, key and state folder");

    private void NoteBooked(Heartbeat heartbeat, HeartbeatAnswer answer)
    {
        using var body = JsonDocument.Parse(heartbeat.Body);
        var totals = body.RootElement.GetProperty("totals");
        meter.NoteAccepted(heartbeat.Epoch, totals.GetProperty("cpu_ms").GetInt64(), totals.GetProperty("gpu_ms").GetInt64());
        if (answer.NextIntervalS is { } seconds && seconds >= Intervals.Least && seconds <= Intervals.Most)
            meter.Interval = TimeSpan.FromSeconds(seconds);
        journal.Say(
            $"booked epoch={heartbeat.Epoch} counter={heartbeat.Counter} waiting={spool.Count - 1} directives={string.Join(',', answer.Directives ?? [])}");
    }

    // Full jitter, so that sidecars do not come back all at once after an outage; the control plane's own wish comes first.
    private TimeSpan PauseAfter(Heartbeat heartbeat, HeartbeatAnswer answer, SampleFate.Again again)
    {
        _failures++;
        var longest = again.NeedsOperator ? LongestPauseForOperator : LongestPause;
        var bound = Math.Min(longest.TotalSeconds, Math.Pow(2, Math.Min(_failures, 10)));
        var pause = TimeSpan.FromSeconds(Math.Max(0.5, bound * Random.Shared.NextDouble()));
        if (answer.RetryAfter is { } asked && asked > pause)
            pause = asked < LongestPauseForOperator ? asked : LongestPauseForOperator;
        var status = answer.Status?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none";
        journal.Say($"waits epoch={heartbeat.Epoch} counter={heartbeat.Counter} status={status} code={answer.Code} waiting={spool.Count} "
            + $"pause_s={pause.TotalSeconds:F1}");
        return pause;
    }
}

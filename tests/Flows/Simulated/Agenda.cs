using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>What is going to happen, and when. What is due at the same moment happens in an order of the seed's choosing.</summary>
internal sealed class Agenda(SetClock clock, Random random)
{
    private readonly PriorityQueue<(bool IsRoutine, Func<Task> DoAsync), (DateTimeOffset At, int Turn)> _coming = new();

    /// <summary>What is still to come, apart from what comes round for ever.</summary>
    public int Pending { get; private set; }

    public void In(TimeSpan delay, Func<Task> doAsync) => Add(delay, doAsync, isRoutine: false);

    /// <summary>For what comes round again and again: a simulation may end while some of it is due.</summary>
    public void RoutinelyIn(TimeSpan delay, Func<Task> doAsync) => Add(delay, doAsync, isRoutine: true);

    /// <summary>Moves the clock to the next thing due, and does it.</summary>
    public async Task NextAsync()
    {
        _coming.TryDequeue(out var next, out var due);
        if (due.At > clock.Now)
            clock.Now = due.At;
        if (!next.IsRoutine)
            Pending--;
        await next.DoAsync();
    }

    private void Add(TimeSpan delay, Func<Task> doAsync, bool isRoutine)
    {
        if (!isRoutine)
            Pending++;
        _coming.Enqueue((isRoutine, doAsync), (clock.Now + delay, random.Next()));
    }
}

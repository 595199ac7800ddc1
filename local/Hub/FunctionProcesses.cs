using ControlPlane.Local.Preparation;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Schedules;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.Hub;

/// <summary>Last stage: every function as a process of its own, and what hands it events besides the gateways.</summary>
internal sealed class FunctionProcesses : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), SignOfLife = TimeSpan.FromSeconds(10), OnAnIdleMachine = TimeSpan.FromSeconds(3);

    private readonly Dictionary<string, FunctionHost> _hosts = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _sources = [];

    /// <summary>By logical id. The gateways hold it before there is anything in it.</summary>
    public IReadOnlyDictionary<string, FunctionHost> ById => _hosts;

    /// <summary>Hands an event to the function of an id.</summary>
    public Task<InvocationResult> InvokeAsync(string id, byte[] payload) => _hosts[id].InvokeAsync(payload);

    public async Task StartAsync(
        TemplateReader template, string? published, Func<TemplateFunction, IReadOnlyDictionary<string, string?>> environmentOf, FunctionLogs logs, Pace pace,
        TimeProvider clock)
    {
        foreach (var function in template.Functions)
        {
            var program = published is null ? FunctionProgram.Built(Repository.Root, function.Project) : FunctionProgram.Published(published, function.Project);
            _hosts[function.Id] = await FunctionHost.StartAsync(function, program, environmentOf(function), line => logs.Add(function.Id, line), pace, clock);
        }
    }

    /// <summary>Opens queues and schedules.</summary>
    public void Feed(TemplateReader template, Stores stores, TimeProvider clock)
    {
        foreach (var (function, source) in template.Functions.SelectMany(function => function.Events.Select(source => (function, source))))
        {
            var host = _hosts[function.Id];
            if (source is TemplateEvent.Queue queue)
                _sources.Add(new QueuePoller(stores.QueueClient, stores.Queues[queue.QueueId], queue, host.InvokeAsync).PollAsync(_stop.Token));
            if (source is TemplateEvent.Schedule schedule)
                _sources.Add(Schedule.TickAsync(schedule, function.Id, host.InvokeAsync, clock, _stop.Token));
        }
    }

    /// <summary>Done when every function has asked for its first event.</summary>
    public Task ReadyAsync() => Task.WhenAll(_hosts.Values.Select(function => function.Ready));

    /// <summary>The same, for no longer than this machine takes, with a word on who is waited for every ten seconds.</summary>
    /// <param name="patience">On an idle machine; 30 s unless said otherwise.</param>
    /// <exception cref="CannotStart">A function could not start, or did not in time; the message names it and its log.</exception>
    public async Task ReadyAsync(
        FunctionLogs logs, Pace pace, Action<string> say, TimeProvider clock, CancellationToken cancel, TimeSpan? patience = null)
    {
        var (began, told) = (clock.GetTimestamp(), TimeSpan.Zero);
        var ready = ReadyAsync();
        while (await Task.WhenAny(ready, Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancel)) != ready)
        {
            cancel.ThrowIfCancellationRequested();
            ThrowOfFailed();
            var waited = clock.GetElapsedTime(began);
            var missing = _hosts.Values.Where(function => !function.Ready.IsCompleted).Select(function => function.Id).ToList();
            var limit = pace.Of(patience ?? Patience);
            if (waited > limit)
                throw new CannotStart(
                    $"{string.Join(", ", missing)} did not start within {limit.TotalSeconds:0} s.\n{(missing.Count == 1 ? $"Its log: {logs.FileOf(missing[0])}" : $"Their logs: {logs.Folder}")}");
            if (waited - told < SignOfLife)
                continue;
            told = waited;
            say($"starting the functions, {waited.TotalSeconds:0} s: waiting for {string.Join(", ", missing)} …");
        }

        ThrowOfFailed();
        await ready;
        pace.Saw(clock.GetElapsedTime(began), OnAnIdleMachine);

        void ThrowOfFailed()
        {
            if (_hosts.Values.FirstOrDefault(function => function.Ready.IsFaulted) is { } failed)
                throw new CannotStart($"{failed.Ready.Exception!.InnerException!.Message}\nIts log: {logs.FileOf(failed.Id)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        // Together: each may still have an event in hand, whose end the pollers and gateways wait for.
        await Task.WhenAll(_hosts.Values.Select(function => function.DisposeAsync().AsTask()));
        await Task.WhenAll(_sources);
        _stop.Dispose();
    }
}

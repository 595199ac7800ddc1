using System.Diagnostics.CodeAnalysis;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.SmallSlack;

namespace ControlPlane.Local.Demo;

/// <summary>Sees what goes through the gateways, the engine and Slack's stand-in, and what is printed, and lets a flow wait for it.</summary>
internal sealed class Observer : IDisposable
{
    private readonly LocalControlPlane _local;
    private readonly List<object> _seen = [];
    private readonly List<(Func<object, bool> Wanted, TaskCompletionSource<object> Found)> _waiting = [];

    [SuppressMessage("Usage", "CA2213", Justification = "The engine belongs to the control plane.")]
    private readonly SmallEngine? _engine;

    public Observer(LocalControlPlane local)
    {
        _local = local;
        _engine = local.DataPlanes.EngineOf(DemoData.Tenant);
        local.PublicApi.Passed += Add;
        local.PrivateApi.Passed += Add;
        local.Slack.State.Shown += Add;
        local.Logs.Printed += Add;
        if (_engine is not null)
            _engine.Happened += Add;
    }

    /// <summary>The first thing of its kind that fits, past or to come.</summary>
    public async Task<T> FirstAsync<T>(Func<T, bool> fits, CancellationToken cancel) where T : class
    {
        Task<object> found;
        lock (_seen)
        {
            if (_seen.OfType<T>().FirstOrDefault(fits) is { } past)
                return past;
            var waiting = new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((thing => thing is T one && fits(one), waiting));
            found = waiting.Task;
        }

        return (T)await found.WaitAsync(cancel);
    }

    public void Dispose()
    {
        _local.PublicApi.Passed -= Add;
        _local.PrivateApi.Passed -= Add;
        _local.Slack.State.Shown -= Add;
        _local.Logs.Printed -= Add;
        if (_engine is not null)
            _engine.Happened -= Add;
    }

    private void Add(Passage passage) => AddAny(passage);

    private void Add(EngineEvent happened) => AddAny(happened);

    private void Add(ShownMessage message) => AddAny(message);

    private void Add(FunctionLine line) => AddAny(line);

    private void AddAny(object thing)
    {
        lock (_seen)
        {
            _seen.Add(thing);
            foreach (var (_, found) in _waiting.Where(one => one.Wanted(thing)))
                found.TrySetResult(thing);
        }
    }
}

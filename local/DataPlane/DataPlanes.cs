using System.Collections.Concurrent;
using System.Net;
using Amazon.Runtime;
using ControlPlane.Aws;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Metering;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tokens;

namespace ControlPlane.Local.DataPlane;

/// <summary>What every tenant has on this machine: an engine, a route to it, and a machine with the metering sidecar. It follows the registry, so that a
/// tenant registered while the control plane runs has its own a moment later, and one that is removed no longer.</summary>
/// <param name="enrolments">Where each machine gets the one-time code with which its sidecar registers its key itself.</param>
/// <param name="engines">Other engines than the small one built in, by tenant id.</param>
/// <param name="folder">Where the machines keep theirs.</param>
/// <param name="most">No more tenants than that have a machine.</param>
internal sealed class DataPlanes(
    TenantRegistry registry, EnrolmentStore enrolments, Auditor auditor, IReadOnlyDictionary<string, IPEndPoint> engines, RoutingTable routing, Uri privateApi,
    FunctionLogs logs, string folder, int most, Pace pace, TimeProvider clock) : IAsyncDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<TenantId, DataPlane> _planes = [];
    private readonly CancellationTokenSource _stop = new();
    private Task _following = Task.CompletedTask;

    private sealed record DataPlane(EngineAddress Address, SmallEngine? Engine)
    {
        public TenantMachine? Machine { get; set; }

        public string Dialled => $"{Address}:{EngineAddress.Port}";
    }

    /// <summary>Told of each tenant that was found while the control plane runs.</summary>
    public event Action<TenantId>? Joined;

    /// <summary>The tenant's built-in engine; null where it has another or is not known.</summary>
    public SmallEngine? EngineOf(TenantId tenant) => _planes.GetValueOrDefault(tenant)?.Engine;

    public TenantMachine? MachineOf(TenantId tenant) => _planes.GetValueOrDefault(tenant)?.Machine;

    /// <summary>Starts the engines of the tenants that are there, before anything is dispatched to them.</summary>
    public async Task StartEnginesAsync(CancellationToken cancel)
    {
        foreach (var tenant in await PresentAsync(cancel))
            await StartEngineAsync(tenant);
    }

    /// <summary>Starts their machines, waits for the first heartbeat of each, and follows the registry from then on.</summary>
    /// <returns>Ends the following and the machines. The engines run on: functions may still have something for them.</returns>
    public async Task<IAsyncDisposable> StartMachinesAsync(CancellationToken cancel)
    {
        // Waited for: after a long pause policy refuses every command until the first heartbeat.
        var starting = new List<Task>();
        foreach (var tenant in await PresentAsync(cancel))
            if (await StartMachineAsync(tenant, cancel) is { } machine)
                starting.Add(machine.ReadyAsync(pace, cancel));
        await Task.WhenAll(starting);
        cancel.ThrowIfCancellationRequested();
        _following = FollowAsync();
        return new Machines(this);
    }

    public async ValueTask DisposeAsync()
    {
        await StopMachinesAsync();
        await Task.WhenAll(_planes.Keys.Select(EndAsync));
        _stop.Dispose();
    }

    private async Task StopMachinesAsync()
    {
        await _stop.CancelAsync();
        await _following;
        await Task.WhenAll(_planes.Values.Select(plane => plane.Machine).OfType<TenantMachine>().Select(machine => machine.DisposeAsync().AsTask()));
    }

    private async Task FollowAsync()
    {
        using var timer = new PeriodicTimer(Between, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try { await FollowOnceAsync(_stop.Token); }
                catch (Exception e) when (e is AmazonClientException or HttpRequestException or IOException) { }    // the tables are away for a moment
            }
        }
        catch (OperationCanceledException) { }
    }

    private async Task FollowOnceAsync(CancellationToken cancel)
    {
        var present = await PresentAsync(cancel);
        foreach (var (id, plane) in _planes)
            if (present.FirstOrDefault(tenant => tenant.Id == id) is not { } tenant || tenant.Engine != plane.Address)
                await EndAsync(id);
        foreach (var tenant in present.Where(tenant => !_planes.ContainsKey(tenant.Id)))
        {
            await StartEngineAsync(tenant);
            await StartMachineAsync(tenant, cancel);
            Joined?.Invoke(tenant.Id);
        }
    }

    private async Task<IReadOnlyList<Tenant>> PresentAsync(CancellationToken cancel) =>
        [.. (await registry.ReadableAsync(cancel)).Tenants.Where(tenant => tenant.Status != TenantStatus.Deleting)];

    private async Task StartEngineAsync(Tenant tenant)
    {
        var other = engines.GetValueOrDefault(tenant.Id.ToString());
        var engine = other is null ? await SmallEngine.StartAsync(tenant.Id.ToString(), tenant.Engine.Address, privateApi, clock) : null;
        var plane = _planes[tenant.Id] = new(tenant.Engine, engine);
        routing.Add(plane.Dialled, other ?? new(IPAddress.Loopback, engine!.Port));
    }

    private async Task<TenantMachine?> StartMachineAsync(Tenant tenant, CancellationToken cancel)
    {
        if (_planes.Values.Count(plane => plane.Machine is not null) >= most)
            return null;
        var machine = TenantMachine.Make(tenant, privateApi, logs, Path.Combine(folder, tenant.Id.ToString()));
        _planes[tenant.Id].Machine = machine;
        if (!SidecarPublicKey.TryImport(machine.PublicKey, out var key) || await registry.FindKeyAsync(key.KeyId, cancel) is null)
        {
            var (code, now) = (OneTimeCode.Make(), clock.GetUtcNow());
            await enrolments.AddAsync(
                new(code.Hash, tenant.Id, InstanceId.Parse(TenantMachine.InstanceOf(tenant.Id)), now, now + EnrolmentInvite.StandardLifetime), auditor, cancel);
            await machine.EnrolAsync(code.Text, cancel);
        }
        machine.Start();
        return machine;
    }

    private async Task EndAsync(TenantId tenant)
    {
        if (!_planes.TryRemove(tenant, out var plane))
            return;
        routing.Remove(plane.Dialled);
        if (plane.Machine is { } machine)
            await machine.DisposeAsync();
        if (plane.Engine is { } engine)
            await engine.DisposeAsync();
    }

    private sealed class Machines(DataPlanes planes) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await planes.StopMachinesAsync();
    }
}

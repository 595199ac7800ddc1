using System.Net;
using ControlPlane.Aws;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;
using ControlPlane.Sidecar;
using ControlPlane.Tenants;

namespace ControlPlane.Load;

/// <summary>A tenant as the load has it: its workspace, its engine behind a line that can be cut, and the key of its machines.</summary>
internal sealed record LoadTenant(TenantId Id, string Workspace, EngineAddress Engine, Line Line, SigningKey Key);

/// <summary>The tenants, registered, with their engines.</summary>
internal sealed class Estate : IAsyncDisposable
{
    public static readonly WorkflowName Workflow = WorkflowName.Parse("wf_sched");

    private readonly List<SmallEngine> _engines = [];

    private Estate(IReadOnlyList<LoadTenant> tenants) => Tenants = tenants;

    public IReadOnlyList<LoadTenant> Tenants { get; }

    /// <summary>Told what an engine did with an execution.</summary>
    public event Action<EngineEvent>? Happened;

    /// <summary>Lines and keys: what has to be there before the control plane is.</summary>
    public static Estate Make(int tenants, string folder) => new([.. Enumerable.Range(1, tenants).Select(number =>
    {
        var id = TenantId.Parse($"tenant-{number}");
        if (!EngineAddress.TryParse($"10.{99 + number}.128.10", id, allowPublicSubnet: false, out var engine))
            throw new InvalidOperationException($"{id} has no such engine.");
        var key = Path.Combine(folder, $"{id}.pem");
        SigningKey.Make(key);
        return new LoadTenant(id, $"TLOAD{number}", engine, Line.Open(), SigningKey.Load(key));
    })]);

    public Dictionary<string, IPEndPoint> Lines => Tenants.ToDictionary(tenant => tenant.Id.ToString(), tenant => tenant.Line.Near);

    public async Task RegisterAsync(LocalControlPlane local, TimeProvider clock, CancellationToken cancel)
    {
        var registry = new TenantRegistry(local.DynamoClient, local.Tables["TenantsTable"]);
        var joined = 0;
        local.DataPlanes.Joined += _ => Interlocked.Increment(ref joined);
        foreach (var tenant in Tenants)
        {
            var engine = await SmallEngine.StartAsync(tenant.Id.ToString(), tenant.Engine.Address, local.PrivateApi.Endpoint, clock);
            engine.Happened += what => Happened?.Invoke(what);
            _engines.Add(engine);
            tenant.Line.LeadTo(engine.Port);
            await registry.SaveAsync(
                tenant.Id,
                new Workflow(
                    Workflow, WebhookPath.Of(Workflow), [new("city", ParameterType.String, MaxLength: 100)],
                    ControlPlane.Tenants.Workflow.DefaultDeadline, Idempotent: false, Enabled: true, AllowedUsers: [], AllowedGroups: [], AllowedChannels: []),
                cancel);
            await registry.TryLinkAsync(new(TeamId.Parse(tenant.Workspace), tenant.Id), cancel);
            await registry.TryAddAsync(
                new(KeyId.Parse(tenant.Key.KeyId), tenant.Id, Instance: null, tenant.Key.PublicKey, clock.GetUtcNow(), NotAfter: null, RevokedAt: null),
                cancel);
            await registry.TryRegisterAsync(
                new(
                    tenant.Id, $"Load {tenant.Id}", TenantStatus.Active, tenant.Engine, AllowPublicSubnet: false,
                    TenantLimits.Default with { MonthlyQuota = 1_000_000, Concurrency = 1000 }),
                cancel);
        }

        while (Volatile.Read(ref joined) < Tenants.Count)
            await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancel);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in _engines)
            await engine.DisposeAsync();
        foreach (var tenant in Tenants)
        {
            await tenant.Line.DisposeAsync();
            tenant.Key.Dispose();
        }
    }
}

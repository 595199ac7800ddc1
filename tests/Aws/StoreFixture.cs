using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

/// <summary>The store of executions on real tables, with a clock that is set by hand.</summary>
internal sealed class StoreFixture
{
    public static readonly TenantId Tenant = TenantId.Parse("tenant-43");
    public static readonly TenantId Neighbour = TenantId.Parse("tenant-44");
    public static readonly TenantLimits Limits = new(MonthlyQuota: 100, Concurrency: 100, MonthlyGpuMs: null);

    private StoreFixture(TestTables tables)
    {
        Tables = tables;
        Store = new(tables.Client, tables.Executions, tables.Quotas, Clock);
        Ledger = new(tables.Client, tables.Quotas);
    }

    public TestTables Tables { get; }
    public SetClock Clock { get; } = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    public ExecutionStore Store { get; }
    public QuotaLedger Ledger { get; }

    public DateTimeOffset Now => Clock.GetUtcNow();

    public static async Task<StoreFixture> StartAsync(LocalCloud cloud) => new(await cloud.TablesAsync());

    public Execution New(string trigger = "t1", bool idempotent = false, DateTimeOffset? deadline = null) => new()
    {
        Id = ExecutionId.Of("T0001", trigger),
        Tenant = Tenant,
        Workflow = WorkflowName.Parse("wf_sched"),
        RequestedBy = Requesters.OfSlack(),
        State = ExecutionState.Queued,
        CreatedAt = Now,
        DeadlineAt = deadline ?? Now + TimeSpan.FromHours(1),
        Month = Month.Of(Now),
        IsIdempotent = idempotent,
        Inputs = JsonDocument.Parse("{}").RootElement,
    };

    public Task<Creation> CreateAsync(Execution execution, TenantLimits? limits = null) =>
        Store.CreateAsync(execution, OrderOf(execution), limits ?? Limits, Cancel);

    public async Task<Execution> CreatedAsync(string trigger = "t1", bool idempotent = false)
    {
        var execution = New(trigger, idempotent);
        Assert.IsType<Creation.Created>(await CreateAsync(execution));
        return execution;
    }

    public async Task<Execution> ClaimedAsync(string trigger = "t1", bool idempotent = false)
    {
        await CreatedAsync(trigger, idempotent);
        return Assert.IsType<Claim.Held>(await ClaimAsync(trigger)).Execution;
    }

    public Task<Claim> ClaimAsync(string trigger = "t1", string owner = "one") =>
        Store.ClaimAsync(ExecutionId.Of("T0001", trigger), Tenant, owner, TimeSpan.FromSeconds(30), Cancel);

    public async Task<Execution> DispatchedAsync(string trigger = "t1")
    {
        var claimed = await ClaimedAsync(trigger);
        Assert.IsType<Move.Moved>(await Store.RecordAttemptAsync(claimed, Signal.Accepted, Attempt("accepted"), notFound: false, Cancel));
        return await FindAsync(claimed.Id);
    }

    public async Task<Execution> FindAsync(ExecutionId id) => (await Store.FindAsync(id, Cancel))!;

    public async Task<(long Charged, long Used, int Active)> BooksAsync()
    {
        var month = await Ledger.MonthAsync(Tenant, Month.Of(Now), Cancel);
        return (month.Charged, month.Used, await Ledger.ActiveAsync(Tenant, Cancel));
    }

    public DispatchAttempt Attempt(string result, int number = 1) => new(number, Now, 12, AttemptResult.Parse(result), 200);

    public static Outcome Outcome(OutcomeStatus status, long cpuMs = 0) => new(status, null, null, "8123", new(cpuMs, 0, 0, 0), null, null);

    public static DispatchOrder OrderOf(Execution execution) =>
        new(
            execution.Id, execution.Tenant, WebhookPath.Of(WorkflowName.Parse("sched-v2")), "{\"schema\":\"dispatch.v1\"}"u8.ToArray(), "header.payload.signature",
            execution.CreatedAt + TimeSpan.FromSeconds(600));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}

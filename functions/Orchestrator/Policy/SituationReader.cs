using ControlPlane.Aws;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Orchestrator.Policy;

/// <summary>Reads everything that policy judges a request by. Two reads are enough for everyone but a silent tenant whose silence may deny.</summary>
internal sealed class SituationReader(StandingStore standings, InstanceStore instances, Planner planner, OrchestratorEvents events)
{
    /// <param name="month">Whose quota it is charged to.</param>
    /// <param name="isReserved">Whether it holds its unit and its place already: they stand in nobody's way, and least in its own.</param>
    public async Task<Situation> OfAsync(StartRequest request, Month month, DateTimeOffset now, CancellationToken cancel, bool isReserved = false)
    {
        var reading = standings.OfAsync(request.Tenant, request.Workflow, month, cancel);
        var dataPlane = instances.OfTenantAsync(request.Tenant, Month.Of(now), cancel);
        await Task.WhenAll(reading, dataPlane);

        var standing = isReserved ? WithoutOne(await reading) : await reading;
        if (standing.Fault is { } fault)
            events.StoredWrong(request.Execution, request.Tenant, fault);
        var watch = Situation.SilenceDenies(standing, await dataPlane, now) ? await instances.WatchAsync(cancel) : null;
        return new(request, standing, standing.Workflow is { } workflow ? planner.Plan(request, workflow, now) : null, await dataPlane, now, watch);
    }

    private static Standing WithoutOne(Standing standing) => standing with
    {
        Active = Math.Max(0, standing.Active - 1),
        Month = standing.Month with { Charged = Math.Max(0, standing.Month.Charged - 1) },
    };
}

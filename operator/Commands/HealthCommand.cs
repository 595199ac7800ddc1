using System.CommandLine;
using ControlPlane.Metering;
using ControlPlane.Operator.DeadLetters;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>health</c>: every data plane's liveness and every queue's depth, on one page.</summary>
internal static class HealthCommand
{
    public static Command Build(Runner runner) => runner.Runs(new("health", "How the data planes and the queues are."), async (hub, _, cancel) =>
    {
        var queues = Task.WhenAll(WorkQueue.All.Select(queue => OfAsync(hub, queue, cancel)));
        var (tenants, faulty) = await hub.Tenants.ReadableAsync(cancel);
        var here = tenants.Where(tenant => tenant.Status != TenantStatus.Deleting).OrderBy(tenant => tenant.Id.Number);
        var shown = new HealthView(await Task.WhenAll(here.Select(tenant => OfAsync(hub, tenant, cancel))), await queues);
        return Answer.Show(shown, CtlJson.Default.HealthView, page =>
        {
            page.Table(["TENANT", "STATUS", "DATA PLANE", "LAST SEEN", "HEALTHY"], shown.Tenants.Select(one => (string?[])
                [one.Tenant, one.Status, one.Liveness ?? "never reported", one.LastSeen, $"{DisplayText.Of(one.HealthyInstances)} of {DisplayText.Of(one.Instances)}"]));
            foreach (var one in shown.Tenants.Where(one => one.GpuUnreadableSince is not null))
                page.Line(DisplayText.GpuUnreadable(one.Tenant, one.GpuUnreadableSince!));
            page.Line("");
            if (shown.Tenants.Any(one => one.Silent.Count > 0))
            {
                page.Table(["SILENT INSTANCE", "TENANT", "STATE", "LAST SEEN"], shown.Tenants.SelectMany(one =>
                    one.Silent.Select(silent => (string?[])[silent.Instance, one.Tenant, silent.Liveness, silent.LastSeen])));
                page.Line("");
            }
            page.Table(["QUEUE", "WAITING", "IN FLIGHT", "DEAD LETTERS"], shown.Queues.Select(one => (string?[])
                [one.Queue, DisplayText.Of(one.Waiting), DisplayText.Of(one.InFlight), DisplayText.Of(one.DeadLetters)]));
        }) with
        { Warnings = ViewMapper.Faults(faulty) };
    });

    private static async Task<QueueHealthView> OfAsync(ControlPlaneClient hub, WorkQueue queue, CancellationToken cancel)
    {
        var depth = await (await hub.DeadLettersOfAsync(queue, cancel)).DepthAsync(cancel);
        return new(queue.Name, depth.Waiting, depth.InFlight, depth.DeadLetters);
    }

    private static async Task<TenantHealthView> OfAsync(ControlPlaneClient hub, Tenant tenant, CancellationToken cancel)
    {
        var now = hub.Clock.GetUtcNow();
        var plane = await hub.Instances.OfTenantAsync(tenant.Id, Month.Of(now), cancel);
        var health = plane.HealthAt(now);
        return new(
            tenant.Id.ToString(), ViewMapper.Of(tenant.Status), health?.Liveness.Name, health is null
                ? null
                : Rfc3339.Format(health.LastSeen), health?.Healthy ?? 0, health?.Instances ?? 0,
            health?.GpuUnreadableSince is { } since ? Rfc3339.Format(since) : null,
            [.. SilentOf(plane, now)]);
    }

    private static IEnumerable<SilentInstanceView> SilentOf(DataPlane plane, DateTimeOffset now) => plane.Instances
        .Select(instance => (instance, Liveness: Liveness.Of(instance.LastSeen, now)))
        .Where(one => one.Liveness != Liveness.Healthy)
        .OrderBy(one => one.instance.LastSeen)
        .Select(one => new SilentInstanceView(one.instance.Instance.ToString(), one.Liveness.Name, Rfc3339.Format(one.instance.LastSeen)));
}

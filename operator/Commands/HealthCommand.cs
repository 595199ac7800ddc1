using System.CommandLine;
using ControlPlane.Administration.DeadLetters;
using ControlPlane.Metering;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>health</c>: every data plane's liveness and every queue's depth, on one page.</summary>
internal static class HealthCommand
{
    public static Command Build(Runner runner)
    {
        var exitZero = new Option<bool>("--exit-zero") { Description = "Exit with 0 whatever is found; else with 1 when something is OFFLINE or a dead letter waits." };
        return runner.Watches(new("health", "How the data planes and the queues are.") { exitZero }, (hub, given, cancel) =>
            LookAsync(hub, given.GetValue(exitZero), cancel));
    }

    private static async Task<Answer> LookAsync(ControlPlaneClient hub, bool exitsZero, CancellationToken cancel)
    {
        var queues = Task.WhenAll(WorkQueue.All.Select(queue => OfAsync(hub, queue, cancel)));
        var (tenants, faulty) = await hub.Tenants.ReadableAsync(cancel);
        var here = tenants.Where(tenant => tenant.Status != TenantStatus.Deleting).OrderBy(tenant => tenant.Id.Number);
        var shown = new HealthView(await Task.WhenAll(here.Select(tenant => OfAsync(hub, tenant, cancel))), await queues);
        return Answer.Show(shown, CtlJson.Default.HealthView, page =>
        {
            page.Table(["TENANT", "STATUS", "DATA PLANE", new("LAST SEEN", 1), Column.Number("HEALTHY")], shown.Tenants.Select(one => (string?[])
                [one.Tenant, one.Status, one.Liveness ?? "never reported", DisplayText.Time(one.LastSeen), $"{DisplayText.Of(one.HealthyInstances)} of {DisplayText.Of(one.Instances)}"]));
            foreach (var one in shown.Tenants.Where(one => one.GpuUnreadableSince is not null))
                page.Line(DisplayText.GpuUnreadable(one.Tenant, one.GpuUnreadableSince!));
            page.Line("");
            if (shown.Tenants.Any(one => one.Silent.Count > 0))
            {
                page.Table(["SILENT", "TENANT", "STATE", new("LAST SEEN", 1)], shown.Tenants.SelectMany(one =>
                    one.Silent.Select(silent => (string?[])[silent.Instance, one.Tenant, silent.Liveness, DisplayText.Time(silent.LastSeen)])));
                page.Line("");
            }
            page.Table(["QUEUE", Column.Number("WAITING"), Column.Number("IN FLIGHT"), Column.Number("DEAD LETTERS")], shown.Queues.Select(one => (string?[])
                [one.Queue, DisplayText.Of(one.Waiting), DisplayText.Of(one.InFlight), DisplayText.Of(one.DeadLetters)]));
        }) with
        { Warnings = ViewMapper.Faults(faulty), IsAlarming = !exitsZero && IsAlarming(shown) };
    }

    private static bool IsAlarming(HealthView health) =>
        health.Queues.Any(queue => queue.DeadLetters > 0)
        || health.Tenants.Any(tenant => tenant.Liveness == Liveness.Offline.Name || tenant.Silent.Any(one => one.Liveness == Liveness.Offline.Name));

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

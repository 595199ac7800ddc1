using System.CommandLine;
using ControlPlane.Metering;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary><c>instance …</c>: the machines of a tenant's data plane as their sidecars' samples left them.</summary>
internal static class InstanceCommands
{
    public static Command Build(Runner runner) =>
        new("instance", "The machines of a tenant's data plane: look at, let counting begin anew.") { List(runner), Show(runner), Reset(runner) };

    private static Command List(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("list", "A tenant's instances. One that is silent for 31 days is no longer among them.") { id }, async (hub, given, cancel) =>
        {
            if (await hub.Tenants.FindAsync(given.GetRequiredValue(id), cancel) is not { } tenant)
                return Refusals.NotRegistered(given.GetRequiredValue(id));
            var (plane, now) = await PlaneAsync(hub, tenant.Id, cancel);
            var shown = new InstancesView(
                tenant.Id.ToString(), tenant.Limits.Instances, [.. plane.Instances.Select(instance => ViewMapper.Of(instance, plane.Month, now))]);
            return Answer.Show(shown, CtlJson.Default.InstancesView, page =>
            {
                page.Table(
                    [
                        "INSTANCE", "STATE", new("LAST SEEN", 1), Column.Number("EPOCH", 5), Column.Number("COUNTER", 4), Column.Number("CPU THIS MONTH", 3),
                        Column.Number("GPU THIS MONTH", 2),
                    ],
                    shown.Instances.Select(one => (string?[])
                        [one.Instance, one.Liveness, DisplayText.Time(one.LastSeen), DisplayText.Of(one.Epoch), DisplayText.Of(one.Counter),
                            DisplayText.OfMilliseconds(one.CpuMs), DisplayText.OfMilliseconds(one.GpuMs)]));
                page.Line($"{DisplayText.Of(shown.Instances.Count)} of at most {DisplayText.Of(shown.InstancesMax)}.");
            });
        });
    }

    private static Command Show(Runner runner)
    {
        var (id, name) = (TypedArguments.Tenant(), TypedArguments.Instance());
        return runner.Runs(new("show", "One instance.") { id, name }, async (hub, given, cancel) =>
        {
            var (plane, now) = await PlaneAsync(hub, given.GetRequiredValue(id), cancel);
            return Find(plane, given.GetRequiredValue(name)) is { } instance
                ? Answer.Show(
                    ViewMapper.Of(instance, plane.Month, now), CtlJson.Default.InstanceView,
                    page => page.Facts(Facts(ViewMapper.Of(instance, plane.Month, now))))
                : Unknown(plane.Tenant, given.GetRequiredValue(name));
        });
    }

    private static Command Reset(Runner runner)
    {
        var (id, name) = (TypedArguments.Tenant(), TypedArguments.Instance());
        var command = new Command("reset", "Lets an instance's counting begin anew: its next sample is taken whatever its numbers are, and adds nothing. To restart the sidecar is better where that can be done.") { id, name };
        return runner.Runs(command, async (hub, given, cancel) =>
        {
            var (tenant, instance) = (given.GetRequiredValue(id), given.GetRequiredValue(name));
            if (!await hub.Instances.TryResetAsync(tenant, instance, await hub.AuditorAsync(cancel), cancel))
                return Unknown(tenant, instance);
            var (plane, now) = await PlaneAsync(hub, tenant, cancel);
            if (Find(plane, instance) is not { } state)
                return Unknown(tenant, instance);
            var shown = new InstanceChangeView("reset", tenant.ToString(), ViewMapper.Of(state, plane.Month, now));
            return Answer.Show(shown, CtlJson.Default.InstanceChangeView, page =>
            {
                page.Line($"The next sample of {instance} is the new beginning of its counting.");
                page.Facts(Facts(shown.Instance));
            });
        });
    }

    private static async Task<(DataPlane Plane, DateTimeOffset Now)> PlaneAsync(ControlPlaneClient hub, TenantId tenant, CancellationToken cancel)
    {
        var now = hub.Clock.GetUtcNow();
        return (await hub.Instances.OfTenantAsync(tenant, Month.Of(now), cancel), now);
    }

    private static InstanceState? Find(DataPlane plane, InstanceId name) => plane.Instances.FirstOrDefault(instance => instance.Instance == name);

    private static Answer.NotDone Unknown(TenantId tenant, InstanceId instance) =>
        new($"{tenant} has no instance {instance}: ./ctl instance list {tenant} shows those it has.");

    private static IEnumerable<(string Name, string? Value)> Facts(InstanceView instance) =>
    [
        ("instance", instance.Instance), ("state", instance.Liveness), ("last seen", instance.LastSeen), ("first seen", instance.FirstSeen),
        ("last sample", instance.SampledAt),
        ("epoch", instance.CountsAnew ? "begins anew" : DisplayText.Of(instance.Epoch)), ("counter", DisplayText.Of(instance.Counter)),
        ("CPU this month", DisplayText.OfMilliseconds(instance.CpuMs)), ("GPU this month", DisplayText.OfMilliseconds(instance.GpuMs)),
        ("restarts", instance.Restarts.Count == 0 ? null : DisplayText.List(instance.Restarts)),
    ];
}

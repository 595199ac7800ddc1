using System.CommandLine;
using ControlPlane.Metering;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>metering</c>: what a tenant's sidecars sent, sample by sample, and where samples are missing.</summary>
internal static class MeteringCommand
{
    private static readonly TimeSpan Standard = TimeSpan.FromHours(1);

    public static Command Build(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var since = TypedArguments.Optional(
            "--since", "1h", $"How far back; {Duration.Format(Standard)} when left out. Samples are kept for {Duration.Format(MeteringRecord.Retention)}.",
            (string text, out TimeSpan time) => Duration.TryParse(text, out time) && time > TimeSpan.Zero && time <= MeteringRecord.Retention,
            text => $"{text} is not a time like 90m or 24h, {Duration.Format(MeteringRecord.Retention)} at most.");

        return runner.Runs(new("metering", "A tenant's samples: CPU and GPU time as its sidecars counted it, and where some are missing.") { id, since },
            async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.FindAsync(tenant, cancel) is null)
                return Refusals.NotRegistered(tenant);

            var from = hub.Clock.GetUtcNow() - (given.GetValue(since) ?? Standard);
            var shown = new SamplesView(tenant.ToString(), Rfc3339.Format(from), await SinceAsync(hub, tenant, from, cancel));
            return Answer.Show(shown, CtlJson.Default.SamplesView, page => page.Table(
                ["SAMPLED", new("INSTANCE", 1), Column.Number("EPOCH", 3), Column.Number("COUNTER", 2), Column.Number("CPU"), Column.Number("GPU"), "BEFORE IT"],
                shown.Samples.Select(one => (string?[])
                    [DisplayText.Time(one.SampledAt), one.Instance, DisplayText.Of(one.Epoch), DisplayText.Of(one.Counter),
                        DisplayText.OfMilliseconds(one.CpuMs), DisplayText.OfMilliseconds(one.GpuMs), BeforeIt(one)])));
        });
    }

    private static async Task<List<SampleView>> SinceAsync(ControlPlaneClient hub, TenantId tenant, DateTimeOffset from, CancellationToken cancel)
    {
        var samples = new List<SampleView>();
        var last = new Dictionary<InstanceId, MeteringRecord>();
        await foreach (var sample in hub.Samples.SinceAsync(tenant, from, cancel))
        {
            var view = ViewMapper.Of(sample, last.GetValueOrDefault(sample.Instance));
            samples.Add(view);
            if (view.Gap is not null || !last.ContainsKey(sample.Instance))
                last[sample.Instance] = sample;
        }
        return samples;
    }

    private static string? BeforeIt(SampleView sample) => (sample.Restarted, sample.Gap) switch
    {
        (true, > 0) => $"restarted, {DisplayText.Of(sample.Gap.Value)} missing",
        (true, _) => "restarted",
        (false, > 0) => $"{DisplayText.Of(sample.Gap.Value)} missing",
        _ => null,
    };
}

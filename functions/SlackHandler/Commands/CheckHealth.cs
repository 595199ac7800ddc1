using ControlPlane.Aws;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>Whether this region can serve: the DNS failover asks.</summary>
internal sealed class CheckHealth(TableCheck tables, string? region, string version)
{
    public async Task<HealthReport> RunAsync(CancellationToken cancel) => new(await tables.AnswerAsync(cancel) ? "ok" : "unavailable", region, version);
}

using ControlPlane.Aws;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>Whether this region can serve: the DNS failover asks.</summary>
internal sealed class CheckHealth(StoreCheck stores, string? region, string version)
{
    public async Task<HealthReport> RunAsync(CancellationToken cancel) => new(await stores.AnswerAsync(cancel) ? "ok" : "unavailable", region, version);
}

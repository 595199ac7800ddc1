using Amazon.Lambda.Annotations;
using Amazon.Lambda.Core;
using ControlPlane.Aws;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Once a minute, in the active region: executions and schedules that are due, requests that were lost, and tenants that fell silent. Two at once do
/// no harm.</summary>
/// <param name="region">The one that this runs in.</param>
internal sealed class SweeperFunction(
    ActiveRegion activeRegion, string region, CloseDueExecutions closeDueExecutions, CloseLostRequests closeLostRequests,
    FireSchedules fireSchedules, WatchDataPlanes watchDataPlanes, MeteringEvents events, TimeProvider clock)
{
    private static readonly TimeSpan KeptBack = TimeSpan.FromSeconds(2);

    [LambdaFunction(ResourceName = "SweeperFunction")]
    public async Task SweepAsync(ILambdaContext context)
    {
        using var deadline = Deadline.Of(context, KeptBack, clock);
        var isActive = await activeRegion.NameAsync(deadline.Token) == region;
        events.RegionAsked(isActive);
        if (!isActive)
            return;

        // Side by side: trouble with the ones is no reason to leave the others. What failed fails the run, so that its alarm sees it.
        await Task.WhenAll(
            closeDueExecutions.RunAsync(deadline.Token), closeLostRequests.RunAsync(deadline.Token), fireSchedules.RunAsync(deadline.Token),
            watchDataPlanes.RunAsync(Guid.NewGuid().ToString("N"), deadline.Token));
        events.Swept();
    }
}

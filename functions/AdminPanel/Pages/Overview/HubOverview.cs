using ControlPlane.Administration.DeadLetters;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Tenants;

namespace ControlPlane.AdminPanel.Pages.Overview;

/// <param name="Where">The page that says more; null where there is none.</param>
public sealed record Trouble(string Kind, string Words, string? Where);

/// <param name="Census">All tenants as the latest sweep found them; null while there was none.</param>
/// <param name="Today">Executions since midnight (UTC) of the day that was counted.</param>
public sealed record HubOverview(
    Frame Frame, HubCensus? Census, IReadOnlyList<Trouble> Troubles, IReadOnlyList<QueueDepth> Queues, IReadOnlyList<(ExecutionState State, int Count)> Today)
{
    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var queues = Task.WhenAll(WorkQueue.All.Select(queue => hub.DeadLettersOf(queue).DepthAsync(cancel)));
        var census = await hub.Censuses.LatestAsync(cancel);
        var today = ExecutionStates.All.Select(state => (State: state, Count: census?.Today.GetValueOrDefault(state.Name) ?? 0))
            .Where(one => one.Count > 0).ToList();
        return new PanelAnswer.Page(OverviewPage.Create(new(
            Frame.Of("Overview", "Overview", request), census, [.. TroublesOf(census, await queues, request.Now)], await queues, today)));
    }

    /// <returns>How many executions a tenant had that day, as far as they were counted.</returns>
    public static string TodayOf(TenantCount count) =>
        count.Today < HubCensus.MostCounted ? HtmlText.Of(count.Today) : $"{HtmlText.Of(count.Today)} or more";

    private static IEnumerable<Trouble> TroublesOf(HubCensus? census, IReadOnlyList<QueueDepth> queues, DateTimeOffset now)
    {
        foreach (var queue in queues.Where(one => one.DeadLetters > 0))
            yield return new("bad", $"{queue.DeadLetters} dead letters of {queue.Queue.Name}", "/dead-letters");
        if (census is null)
            yield return new("warn", "No tenant was counted yet: the sweeper does so each minute, where it is switched on", Where: null);
        else if (census.IsOldAt(now))
            yield return new("bad", "The sweeper has not counted for minutes: what stands here of tenants is as old as that", Where: null);
        foreach (var trouble in census is null ? [] : TroublesOf(census))
            yield return trouble;
    }

    private static IEnumerable<Trouble> TroublesOf(HubCensus census)
    {
        foreach (var (id, fault) in census.Faulty)
            yield return new("bad", $"{id} is stored wrong: {fault}", PageOf(id));
        foreach (var id in census.Uncounted)
            yield return new("warn", $"{id} could not be read when tenants were counted", PageOf(id));
        var active = census.Tenants.Where(one => one.Status == TenantStatus.Active).ToList();
        foreach (var one in active.Where(one => one.Health?.Liveness == Liveness.Offline))
            yield return new("bad", $"{one.Id} is OFFLINE", PageOf(one.Id));
        foreach (var one in active.Where(one => one.Health?.Liveness == Liveness.Late))
            yield return new("warn", $"{one.Id} is LATE", PageOf(one.Id));
        foreach (var one in census.Tenants.Where(one => one.Health?.GpuUnreadableSince is not null))
            yield return new("warn", $"{one.Id} cannot read all of its GPUs: their time is not metered in full", PageOf(one.Id));
        foreach (var one in census.Tenants.Where(one => one.Charged >= one.MonthlyQuota))
            yield return new("warn", $"{one.Id} has used up its month", PageOf(one.Id));
    }

    private static string PageOf(TenantId tenant) => $"/tenants/{tenant}";
}

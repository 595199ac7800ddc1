using ControlPlane.Executions;

namespace ControlPlane.Aws.Logs;

/// <summary>Every metric that this control plane writes: who writes it, its unit, its dimension, and what of it an alarm watches.</summary>
/// <remarks>None can be made elsewhere. The templates' alarms and dashboard are held to this list; what an alarm watches, to a test that makes it
/// happen.</remarks>
public static class MetricCatalogue
{
    private const string SlackHandler = "SlackHandler", Orchestrator = "Orchestrator", DpDispatcher = "DpDispatcher", MeteringCollector = "MeteringCollector",
        AdminPanel = "AdminPanel";

    // Before the metrics: fields are made in this order, and each metric is noted here.
    private static readonly List<Metric> Known = [];

    public static readonly Metric.Plain SlackCommandsFailed = Plain(SlackHandler, "SlackCommandsFailed", isWatched: true);
    public static readonly Metric.Plain NotificationsDelivered = Plain(SlackHandler, "NotificationsDelivered");
    public static readonly Metric.Plain NotificationsRetried = Plain(SlackHandler, "NotificationsRetried");
    public static readonly Metric.Plain NotificationsGivenUp = Plain(SlackHandler, "NotificationsGivenUp", isWatched: true);

    /// <summary>An execution outlasted its reply address, which is nobody's fault and no alarm.</summary>
    public static readonly Metric.Plain NotificationsTooLate = Plain(SlackHandler, "NotificationsTooLate");

    /// <summary>Slack minded how a message was made, and was sent its text alone.</summary>
    public static readonly Metric.Plain NotificationsMisshapen = Plain(SlackHandler, "NotificationsMisshapen");

    public static readonly Metric.Plain WorkspacesInstalled = Plain(SlackHandler, "WorkspacesInstalled");
    public static readonly Metric.Plain InstallationsFailed = Plain(SlackHandler, "InstallationsFailed", isWatched: true);

    public static readonly Metric.Split ExecutionsRequested = Split(Orchestrator, "ExecutionsRequested", Dimension.Decision);
    public static readonly Metric.Plain ExecutionRequestsFailed = Plain(Orchestrator, "ExecutionRequestsFailed", isWatched: true);

    public static readonly Metric.Split DispatchAttempts = Split(DpDispatcher, "DispatchAttempts", Dimension.Result);
    public static readonly Metric.Split DispatchMilliseconds = Split(DpDispatcher, "DispatchMilliseconds", Dimension.Result, MetricUnit.Milliseconds);

    /// <summary>The peering between the networks has no metric of its own, so its loss shows here.</summary>
    public static readonly Metric.Plain DispatchConnectFailures = Plain(DpDispatcher, "DispatchConnectFailures", isWatched: true);

    public static readonly Metric.Plain DispatchUnauthorized = Plain(DpDispatcher, "DispatchUnauthorized", isWatched: true);
    public static readonly Metric.Split DispatchClosed = Split(
        DpDispatcher, "DispatchClosed", Dimension.FailureCode, watched: DispatchFailure.Unreachable.Code);
    public static readonly Metric.Plain DispatchAddressRefused = Plain(DpDispatcher, "DispatchAddressRefused", isWatched: true);
    public static readonly Metric.Plain DispatchNotTheirs = Plain(DpDispatcher, "DispatchNotTheirs", isWatched: true);
    public static readonly Metric.Plain DispatchHeld = Plain(DpDispatcher, "DispatchHeld");
    public static readonly Metric.Plain DispatchCrashes = Plain(DpDispatcher, "DispatchCrashes");
    public static readonly Metric.Plain DispatchUnreadable = Plain(DpDispatcher, "DispatchUnreadable");

    public static readonly Metric.Split Heartbeats = Split(MeteringCollector, "Heartbeats", Dimension.Outcome, watched: "counter-conflict");
    public static readonly Metric.Plain HeartbeatSkew = Plain(MeteringCollector, "HeartbeatSkew", MetricUnit.Seconds);
    public static readonly Metric.Plain HeartbeatGap = Plain(MeteringCollector, "HeartbeatGap", isWatched: true);
    public static readonly Metric.Plain InstanceRestartsTooOften = Plain(MeteringCollector, "InstanceRestartsTooOften", isWatched: true);

    /// <summary>Of the refusals the one that nobody sees by mistake: AWS was asked, and it is another machine.</summary>
    public static readonly Metric.Split Enrolments = Split(MeteringCollector, "Enrolments", Dimension.Outcome, watched: "identity-refused");

    public static readonly Metric.Split Outcomes = Split(MeteringCollector, "Outcomes", Dimension.Outcome);

    public static readonly Metric.Plain ExecutionsTimedOut = Plain(MeteringCollector, "ExecutionsTimedOut", isWatched: true);

    /// <summary>An execution ended and its tenant's ledger does not know.</summary>
    public static readonly Metric.Plain ExecutionsUnbooked = Note(
        new Metric.Plain([SlackHandler, Orchestrator, DpDispatcher, MeteringCollector], "ExecutionsUnbooked", MetricUnit.Count, isWatched: true));

    /// <summary>Somebody stored a value that is no such secret; the one before it serves, for now.</summary>
    public static readonly Metric.Plain SecretsMalformed = Note(
        new Metric.Plain([SlackHandler, Orchestrator, MeteringCollector], "SecretsMalformed", MetricUnit.Count, isWatched: true));

    public static readonly Metric.Plain NotificationsResent = Plain(MeteringCollector, "NotificationsResent");
    public static readonly Metric.Plain SweepFailures = Plain(MeteringCollector, "SweepFailures", isWatched: true);
    /// <summary>1 where the sweeper found its region to be the active one, else 0.</summary>
    public static readonly Metric.Plain RegionIsActive = Plain(MeteringCollector, "RegionIsActive", isWatched: true);

    /// <summary>A tenant's month reached 80 or 100 per cent of its executions or of its GPU time.</summary>
    public static readonly Metric.Plain UsageWarnings = Plain(MeteringCollector, "UsageWarnings", isWatched: true);

    public static readonly Metric.Plain TenantsRegistered = Plain(MeteringCollector, "TenantsRegistered", isWatched: true);
    public static readonly Metric.Split DataPlanes = Split(MeteringCollector, "DataPlanes", Dimension.Liveness);
    public static readonly Metric.Plain GpuUnreadable = Plain(MeteringCollector, "GpuUnreadable", isWatched: true);
    public static readonly Metric.Plain DataPlanesOfflineTogether = Plain(MeteringCollector, "DataPlanesOfflineTogether", isWatched: true);
    public static readonly Metric.Plain DataPlanesBackTogether = Plain(MeteringCollector, "DataPlanesBackTogether");
    public static readonly Metric.Plain DataPlaneRecovered = Plain(MeteringCollector, "DataPlaneRecovered");
    public static readonly Metric.Plain DataPlaneLate = Plain(MeteringCollector, "DataPlaneLate");
    public static readonly Metric.Plain DataPlaneOffline = Plain(MeteringCollector, "DataPlaneOffline", isWatched: true);

    /// <summary>One machine of several: where all of a tenant's are silent, the tenant's own silence rings.</summary>
    public static readonly Metric.Plain InstanceOffline = Plain(MeteringCollector, "InstanceOffline", isWatched: true);

    public static readonly Metric.Split InstanceChanges = Split(MeteringCollector, "InstanceChanges", Dimension.Change);

    /// <summary>Somebody reached the panel's function for whom its load balancer does not vouch.</summary>
    public static readonly Metric.Plain PanelRefusals = Plain(AdminPanel, "PanelRefusals", isWatched: true);

    public static readonly Metric.Plain PanelFailures = Plain(AdminPanel, "PanelFailures", isWatched: true);

    public static IReadOnlyList<Metric> All => Known;

    private static Metric.Plain Plain(string function, string name, MetricUnit unit = MetricUnit.Count, bool isWatched = false) =>
        Note(new Metric.Plain([function], name, unit, isWatched));

    private static Metric.Split Split(string function, string name, Dimension by, MetricUnit unit = MetricUnit.Count, params string[] watched) =>
        Note(new Metric.Split([function], name, unit, by, watched));

    private static T Note<T>(T metric) where T : Metric
    {
        Known.Add(metric);
        return metric;
    }
}

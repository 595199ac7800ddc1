namespace ControlPlane.Capacity;

/// <summary>What one hub with so many tenants asks of AWS at its peak: the mean of the traffic table times its peak factor.</summary>
/// <param name="Public">Requests of Slack a second.</param>
/// <param name="Private">Requests of data planes a second.</param>
/// <param name="Commands">Commands that run at once.</param>
/// <param name="Heartbeats">Heartbeats that run at once.</param>
internal sealed record Load(
    double Requests, double Writes, double Concurrency, double InFlight, double Sweep, double Public, double Private, double Commands, double Heartbeats)
{
    public static Load Of(Inputs inputs, double tenants)
    {
        var (traffic, measured, _, _, _) = inputs;
        var factor = tenants / traffic.Tenants * traffic.PeakOverMean / (traffic.Hours * 3600.0);
        double Peak(Func<Flow, double> each) =>
            measured.Flows.Where(flow => flow.Name != "sweep").Sum(flow => traffic.Monthly[flow.Name] * each(flow)) * factor;
        return new(
            Peak(flow => flow.Api is null ? 0 : 1),
            Peak(flow => flow.WriteUnits),
            Peak(flow => flow.Milliseconds / 1000),
            // A message is in flight while its function works on it.
            Peak(flow => flow.PolledQueueRequests > 0 ? flow.Milliseconds / 1000 : 0),
            measured.SweepMillisecondsPerTenant * tenants,
            Peak(flow => flow.Api == "http" ? 1 : 0),
            Peak(flow => flow.Api == "rest" ? 1 : 0),
            Peak(flow => flow.Function == "slack-commands" ? flow.Milliseconds / 1000 : 0),
            Peak(flow => flow.Function == "heartbeats" ? flow.Milliseconds / 1000 : 0));
    }

    public double this[string use] => use switch
    {
        "requests" => Requests,
        "writes" => Writes,
        "concurrency" => Concurrency,
        "in_flight" => InFlight,
        "sweep" => Sweep,
        "public" => Public,
        "private" => Private,
        "commands" => Commands,
        "heartbeats" => Heartbeats,
        _ => throw new ArgumentOutOfRangeException(nameof(use), use, "No such figure."),
    };
}

/// <summary>How many tenants one hub carries before a quota stops it.</summary>
internal static class Reach
{
    public static double Tenants(Inputs inputs, Quota quota, double limit) =>
        quota.Use == "tenants" ? Math.Floor(limit / quota.Each) : Math.Floor(limit / (Load.Of(inputs, 1)[quota.Use] * quota.Each));
}

namespace ControlPlane.Metering;

/// <summary>How long ago an instance was heard of. In order: the lower, the better.</summary>
public enum Liveness { Healthy, Late, Offline }

public static class LivenessRule
{
    /// <summary>The longest silence of a healthy instance: one heartbeat a minute, and half a minute for the road.</summary>
    public static readonly TimeSpan HealthyWithin = TimeSpan.FromSeconds(90);

    /// <summary>Silent for longer than this, three heartbeats are missing.</summary>
    public static readonly TimeSpan LateWithin = TimeSpan.FromSeconds(180);

    extension(Liveness liveness)
    {
        /// <param name="lastSeen">When the last heartbeat was accepted, by our clock.</param>
        public static Liveness Of(DateTimeOffset lastSeen, DateTimeOffset now) => (now - lastSeen) switch
        {
            var silence when silence <= HealthyWithin => Liveness.Healthy,
            var silence when silence <= LateWithin => Liveness.Late,
            _ => Liveness.Offline,
        };

        /// <summary>The word for it in tables, logs and Slack.</summary>
        public string Name => liveness switch
        {
            Liveness.Healthy => "HEALTHY",
            Liveness.Late => "LATE",
            Liveness.Offline => "OFFLINE",
            _ => throw new ArgumentOutOfRangeException(nameof(liveness)),
        };

        /// <exception cref="FormatException">Nothing has that name.</exception>
        public static Liveness Parse(string name) => name switch
        {
            "HEALTHY" => Liveness.Healthy,
            "LATE" => Liveness.Late,
            "OFFLINE" => Liveness.Offline,
            _ => throw new FormatException("No liveness has that name."),
        };
    }
}

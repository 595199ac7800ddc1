using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Support;

/// <summary>Who asked for an execution, in short.</summary>
public static class Requesters
{
    public static Requester.Slack OfSlack(string team = "T0001", string user = "U0001", string channel = "C0001") =>
        new(TeamId.Parse(team), UserId.Parse(user), ChannelId.Parse(channel));

    public static Requester.Operator AnOperator { get; } = new(OperatorId.Parse("arn:aws:sts::123456789012:assumed-role/operator/jane@example.com"));

    /// <summary>Of one who made it in Slack.</summary>
    public static Requester.Schedule OfSchedule(string team = "T0001", string user = "U0001", string channel = "C0001") =>
        new(ScheduleId.Of(team, "schedule"), Caller: null, TeamId.Parse(team), UserId.Parse(user), ChannelId.Parse(channel));

    /// <summary>Of one who asked in Slack.</summary>
    public static Requester.Slack InSlack(this Requester requester) => (Requester.Slack)requester;
}

using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Support;

/// <summary>Who asked for an execution, in short.</summary>
public static class Requesters
{
    public static Requester OfSlack(string team = "T0001", string user = "U0001", string channel = "C0001") =>
        new("slack", TeamId.Parse(team), UserId.Parse(user), ChannelId.Parse(channel));
}

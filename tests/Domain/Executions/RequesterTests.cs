using ControlPlane.Executions;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Domain.Executions;

public sealed class RequesterTests
{
    /// <summary>Executions are printed where a test or a rule fails.</summary>
    [Fact]
    public void Whoever_asks_prints_what_names_them()
    {
        Assert.Equal("Slack { TeamId = T1, UserId = U1, ChannelId = C1, OrganisationId =  }", Requesters.OfSlack("T1", "U1", "C1").ToString());
        const string ada = "arn:aws:iam::111111111111:user/ada";
        Assert.Equal($"Operator {{ Caller = {ada} }}", new Requester.Operator(OperatorId.Parse(ada)).ToString());
    }
}

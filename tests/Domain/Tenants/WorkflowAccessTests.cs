using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Tenants;

public class WorkflowAccessTests
{
    [Theory]
    [InlineData("T1/U1", "T1", "U1", true)]
    [InlineData("T1/U1", "T2", "U1", false)]        // the same id in the tenant's other workspace is somebody else
    [InlineData("T1/U1", "T1", "U2", false)]
    [InlineData("U1", "T2", "U1", true)]            // an id alone is that user of whichever workspace
    public void A_user_is_somebody_of_one_workspace(string named, string team, string user, bool permitted)
    {
        var workflow = new Workflow(
            WorkflowName.Parse("w"), WebhookPath.Parse("w"), [], Workflow.DefaultDeadline, Idempotent: false, Enabled: true, AllowedUsers: [named],
            AllowedGroups: [], AllowedChannels: []);
        Assert.Equal(permitted, workflow.PermitsUser(TeamId.Parse(team), UserId.Parse(user), []));
        var ofGroup = workflow with { AllowedUsers = [], AllowedGroups = ["ops"] };
        Assert.Equal(permitted, ofGroup.PermitsUser(TeamId.Parse(team), UserId.Parse(user), [new UserGroup("ops", [named])]));
    }
}

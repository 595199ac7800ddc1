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

    [Fact]
    public void Where_nobody_is_named_everybody_may_and_a_misspelt_group_lets_nobody_in()
    {
        var (team, user) = (TeamId.Parse("T1"), UserId.Parse("U1"));
        UserGroup[] groups = [new("ops", ["U1"]), new("others", ["U2"])];
        Assert.True(With([], []).PermitsUser(team, user, groups));
        Assert.False(With(["U2"], []).PermitsUser(team, user, groups));
        Assert.False(With([], ["opps"]).PermitsUser(team, user, groups));
        Assert.False(With([], ["others"]).PermitsUser(team, user, groups));
        Assert.False(With([], ["ops"]).PermitsUser(team, user, []));
        Assert.True(With(["U2"], ["others", "ops"]).PermitsUser(team, user, groups));
    }

    [Theory]
    [InlineData("", "C1", true), InlineData("C1", "C1", true), InlineData("C1", "C2", false)]
    public void Where_no_channel_is_named_every_one_will_do(string named, string from, bool permitted)
    {
        var workflow = With([], []) with { AllowedChannels = [.. named.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ChannelId.Parse)] };
        Assert.Equal(permitted, workflow.PermitsChannel(ChannelId.Parse(from)));
    }

    private static Workflow With(string[] users, string[] groups) => new(
        WorkflowName.Parse("w"), WebhookPath.Parse("w"), [], Workflow.DefaultDeadline, Idempotent: false, Enabled: true, users, groups, AllowedChannels: []);
}

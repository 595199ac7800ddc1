using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Domain.Executions;

public sealed class RequesterTests
{
    private const string Ada = "arn:aws:iam::111111111111:user/ada", Id = "sch_0123456789abcdef0123456789abcdef";

    /// <summary>Executions are printed where a test or a rule fails.</summary>
    [Fact]
    public void Whoever_asks_prints_what_names_them()
    {
        Assert.Equal("Slack { TeamId = T1, UserId = U1, ChannelId = C1, OrganisationId =  }", Requesters.OfSlack("T1", "U1", "C1").ToString());
        Assert.Equal($"Operator {{ Caller = {Ada} }}", new Requester.Operator(OperatorId.Parse(Ada)).ToString());
    }

    [Theory]
    [InlineData("""{"source":"slack","team_id":"T1","user_id":"U1","channel_id":"C1"}""")]
    [InlineData("""{"source":"slack","team_id":"T1","user_id":"U1","channel_id":"C1","organisation_id":"E1"}""")]
    [InlineData($$"""{"source":"operator","caller":"{{Ada}}"}""")]
    [InlineData($$"""{"source":"schedule","schedule_id":"{{Id}}","team_id":"T1","user_id":"U1","channel_id":"C1","organisation_id":"E1"}""")]
    [InlineData($$"""{"source":"schedule","schedule_id":"{{Id}}","caller":"{{Ada}}"}""")]
    [InlineData($$"""{"source":"schedule","schedule_id":"{{Id}}","caller":"{{Ada}}","team_id":"T1","user_id":"U1"}""")]
    public void Whoever_asks_is_read_as_they_were_written(string json) =>
        Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize(json, DomainJson.Default.Requester)!, DomainJson.Default.Requester));

    [Theory]
    [InlineData("{}"), InlineData("[]"), InlineData("\"slack\""), InlineData("""{"source":"somebody"}"""), InlineData("""{"source":5}""")]
    [InlineData("""{"source":"slack","user_id":"U1","channel_id":"C1"}"""), InlineData("""{"source":"slack","team_id":"T1","channel_id":"C1"}""")]
    [InlineData("""{"source":"slack","team_id":"T1","user_id":"U1"}"""), InlineData("""{"source":"slack","team_id":"t1","user_id":"U1","channel_id":"C1"}""")]
    [InlineData("""{"source":"operator"}"""), InlineData("""{"source":"operator","caller":"ada"}""")]
    [InlineData($$"""{"source":"schedule","caller":"{{Ada}}"}""")]
    [InlineData($$"""{"source":"schedule","schedule_id":"{{Id}}"}""")]                                            // in nobody's name
    [InlineData($$"""{"source":"schedule","schedule_id":"{{Id}}","team_id":"T1","user_id":"U1"}""")]
    [InlineData($$"""{"source":"schedule","schedule_id":"{{Id}}","team_id":"T1","channel_id":"C1"}""")]
    [InlineData($$"""{"source":"schedule","schedule_id":"{{Id}}","user_id":"U1","channel_id":"C1"}""")]
    public void Nobody_else_asks(string json) => Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, DomainJson.Default.Requester));

    // Of a schedule: the operator who made it, and who is named in Slack.
    [Theory]
    [InlineData(false, "T1", "U1", "C1", true, true)]               // a Slack user's
    [InlineData(true, null, null, null, false, false)]
    [InlineData(true, "T1", "U1", null, true, false)]               // an operator's, who has somebody told
    [InlineData(true, "T1", null, "C1", true, false)]
    [InlineData(true, "T1", null, null, false, false)]
    [InlineData(true, null, "U1", "C1", false, false)]              // of which workspace?
    public void Of_a_schedule_somebody_is_told_where_they_are_named_and_it_runs_as_its_maker(
        bool byOperator, string? team, string? user, string? channel, bool isTold, bool hasAsker)
    {
        var schedule = new Requester.Schedule(
            ScheduleId.Parse(Id), byOperator ? OperatorId.Parse(Ada) : null, team is null ? null : TeamId.Parse(team), user is null ? null : UserId.Parse(user),
            channel is null ? null : ChannelId.Parse(channel))
        { OrganisationId = TeamId.Parse("E1") };
        Assert.Equal((isTold, "schedule"), (schedule.IsToldInSlack, schedule.Source));
        Assert.Equal(hasAsker ? Requesters.OfSlack("T1", "U1", "C1") with { OrganisationId = TeamId.Parse("E1") } : null, schedule.Asker);
    }

    [Fact]
    public void A_Slack_user_waits_for_the_end_and_an_operator_looks_for_it()
    {
        var user = Requesters.OfSlack();
        Assert.Equal((true, "slack", user), (user.IsToldInSlack, user.Source, user.Asker));
        Assert.Equal((false, "operator", null), (Requesters.AnOperator.IsToldInSlack, Requesters.AnOperator.Source, Requesters.AnOperator.Asker));
    }
}

using ControlPlane.Audit;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Audit;

public sealed class AuditTests
{
    [Fact]
    public void Whoever_changes_something_is_named_by_where_they_come_from()
    {
        Assert.Equal("local:jane", Actor.Of(OperatorId.Parse("local:jane")).ToString());
        Assert.Equal("slack:T1/U1", Actor.OfSlack(TeamId.Parse("T1"), UserId.Parse("U1")).ToString());
        Assert.Equal("slack:T1", Actor.OfSlack(TeamId.Parse("T1"), null).ToString());
    }

    [Theory]
    [InlineData("auth0|5f7c8ec7", "oidc:auth0|5f7c8ec7"), InlineData("jane doe;\n", "oidc:jane_doe__"), InlineData("jan\u00e9", "oidc:jan_")]
    public void A_subject_of_any_provider_becomes_an_actor(string subject, string actor)
    {
        Assert.Equal(actor, Actor.OfSubject(subject).ToString());
        Assert.True(Actor.TryParse(actor, out _));
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(2000)]
    public void A_value_is_kept_whole_up_to_two_thousand_characters(int length)
    {
        var text = new string('x', length);
        Assert.Equal(new AuditedValue("name", text, text), AuditedValue.Of("name", text, text));
    }

    [Fact]
    public void What_is_longer_is_cut_and_never_within_a_character()
    {
        var value = AuditedValue.Of("name", new('x', 2001), new string('x', 1998) + "\U0001f600xx");
        Assert.Equal((new string('x', 1999) + "…", new string('x', 1998) + "…"), (value.Was, value.Is));
        Assert.Equal(new string('x', 1997) + "\U0001f600…", AuditedValue.Of("name", new string('x', 1997) + "\U0001f600xx", null).Was);
    }

    [Fact]
    public void Where_there_was_nothing_nothing_is_said_to_have_been() => Assert.Equal(new AuditedValue("name", null, null), AuditedValue.Of("name", null, null));
}

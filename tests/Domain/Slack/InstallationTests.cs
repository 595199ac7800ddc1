using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Slack;

public sealed class InstallationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, true), InlineData(604_799, true), InlineData(604_800, false)]
    public void A_ticket_is_open_for_a_week_and_once(int seconds, bool isOpen)
    {
        var ticket = new InstallTicket("hash", TenantId.Parse("tenant-1"), Now, Now + InstallTicket.Lifetime);
        Assert.Equal(isOpen, ticket.IsOpenAt(Now.AddSeconds(seconds)));
        Assert.False((ticket with { UsedAt = Now }).IsOpenAt(Now.AddSeconds(seconds)));
    }

    [Fact]
    public void A_token_is_sealed_for_its_workspace() => Assert.Equal("bot_token|T1", SealedToken.PurposeOf(TeamId.Parse("T1")));

    [Fact]
    public void What_lets_somebody_in_and_what_somebody_typed_is_not_printed()
    {
        Assert.Equal("SlackClient 1.2", new SlackClient("1.2", "hush").ToString());
        var (execution, tenant) = (ExecutionId.Of("T1", "1"), TenantId.Parse("tenant-1"));
        Assert.Equal($"Reply of {execution}", new Reply(execution, tenant, [1], 0, Now, Now).ToString());
        Assert.Equal(
            $"DispatchOrder of {execution}",
            new DispatchOrder(execution, tenant, WebhookPath.Parse("w"), [1], "header.payload.signature", Now, "other.payload.signature").ToString());
    }

    [Theory]
    [InlineData("""{"client_id":"1.2"}"""), InlineData("""{"client_secret":"hush"}""")]
    public void Half_of_the_apps_credentials_is_none(string half)
    {
        const string key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        var secret = SlackSecret.Parse($$"""{"signing_secret":"s","response_url_key":"{{key}}","origin_verify":"o",{{half[1..]}}""");
        Assert.Equal((null, null, "SlackSecret"), (secret.Client, secret.TokenKey, secret.ToString()));
        var whole = SlackSecret.Parse(
            $$"""{"signing_secret":"s","response_url_key":"{{key}}","origin_verify":"o","client_id":"1.2","client_secret":"hush","bot_token_key":"{{key}}"}""");
        Assert.Equal((new SlackClient("1.2", "hush"), 32), (whole.Client, whole.TokenKey!.Length));
    }

    [Theory]
    [InlineData("\"client_id\":\"\",\"client_secret\":\"hush\""), InlineData("\"client_id\":5,\"client_secret\":\"hush\"")]
    [InlineData("\"bot_token_key\":\"c2hvcnQ=\""), InlineData("\"bot_token_key\":\"\"")]
    public void What_is_there_has_to_be_right(string members) => Assert.Throws<FormatException>(() => SlackSecret.Parse(
        $$"""{"signing_secret":"s","response_url_key":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","origin_verify":"o",{{members}}}"""));
}

using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Domain.Slack;

public class SlackSecretTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private const string Origin = "cloudfront-says-hello";

    private const string Key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

    [Fact]
    public void A_complete_secret_is_read()
    {
        var secret = SlackSecret.Parse(SecretText("s3cret"));
        Assert.Equal("s3cret"u8.ToArray(), secret.SigningKey);
        Assert.Equal(32, secret.ReplyKey.Length);
        Assert.True(secret.IsOrigin(Encoding.UTF8.GetBytes(Origin)));
        Assert.False(secret.IsOrigin("cloudfront-says-hellO"u8));
        Assert.False(secret.IsOrigin(""u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData($$"""{"response_url_key":"{{Key}}","origin_verify":"o"}""")]
    [InlineData($$"""{"signing_secret":"","response_url_key":"{{Key}}","origin_verify":"o"}""")]
    [InlineData($$"""{"signing_secret":"  ","response_url_key":"{{Key}}","origin_verify":"o"}""")]
    [InlineData($$"""{"signing_secret":"s\n","response_url_key":"{{Key}}","origin_verify":"o"}""")]
    [InlineData($$"""{"signing_secret":" s","response_url_key":"{{Key}}","origin_verify":"o"}""")]
    [InlineData($$"""{"signing_secret":5,"response_url_key":"{{Key}}","origin_verify":"o"}""")]
    [InlineData($$"""{"signing_secret":null,"response_url_key":"{{Key}}","origin_verify":"o"}""")]
    [InlineData($$"""{"signing_secret":"s","signing_secret":"t","response_url_key":"{{Key}}","origin_verify":"o"}""")]
    [InlineData("""{"signing_secret":"s","response_url_key":"c2hvcnQ=","origin_verify":"o"}""")]
    [InlineData("""{"signing_secret":"s","response_url_key":"not base64","origin_verify":"o"}""")]
    [InlineData($$"""{"signing_secret":"s","response_url_key":"{{Key}}"}""")]
    [InlineData($$"""{"signing_secret":"s","response_url_key":"{{Key}}","origin_verify":""}""")]
    [InlineData($$"""{"signing_secret":"\ud800","response_url_key":"{{Key}}","origin_verify":"o"}""")]
    public void Anything_else_is_refused(string text) => Assert.Throws<FormatException>(() => SlackSecret.Parse(text));

    [Fact]
    public void The_signing_secrets_that_must_stop_the_start_do()
    {
        using var vectors = Vectors.Read("slack_signature.json");
        var values = vectors.RootElement.GetProperty("secrets_that_must_stop_the_start").EnumerateArray().ToList();
        foreach (var value in values)
        {
            var text =
                new JsonObject { ["signing_secret"] = JsonNode.Parse(value.GetRawText()), ["response_url_key"] = Key, ["origin_verify"] = "o" }.ToJsonString();
            Assert.Throws<FormatException>(() => SlackSecret.Parse(text));
        }
        Assert.NotEmpty(values);
    }

    [Fact]
    public void What_is_wrong_is_said_without_quoting_the_secret()
    {
        var error = Assert.Throws<FormatException>(() => SlackSecret.Parse("""{"signing_secret":"hush hush" oops"""));
        Assert.DoesNotContain("hush", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_prints_nothing_of_itself()
    {
        var secrets = new KeptSecrets();
        secrets.Put("v1", SecretText("hushhush"), Start);
        var versions = await new RotatingSecret<SlackSecret>(secrets, "slack", SlackSecret.Parse, SlackSecret.Overlap, new SetClock(Start))
            .GetAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain("hushhush", versions.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hushhush", versions.Current.ToString(), StringComparison.Ordinal);
    }

    private static string SecretText(string signingSecret) => new JsonObject
    {
        ["client_id"] = "1.2",
        ["client_secret"] = "hush",
        ["bot_token_key"] = Key,
        ["signing_secret"] = signingSecret,
        ["response_url_key"] = Key,
        ["origin_verify"] = Origin,
    }.ToJsonString();
}

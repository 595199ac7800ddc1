using System.Text;
using ControlPlane.Executions;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

public class ReplyUrlTests
{
    [Theory]
    [InlineData("https://hooks.slack.com/commands/T1/2/abc")]
    [InlineData("https://hooks.slack.com/")]
    [InlineData("https://hooks.slack-gov.com/commands/T1/2/abc")]
    public void Slacks_own_addresses_may_be_posted_to(string text)
    {
        Assert.True(ReplyUrl.TryParse(text, out var url));
        Assert.Equal(text, url.Url.AbsoluteUri);
        Assert.DoesNotContain("slack", url.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://hooks.slack.com.evil.test/commands/1")]
    [InlineData("https://hooks.slack.com@evil.test/")]
    [InlineData("https://evil.test/#@hooks.slack.com/")]
    [InlineData("http://hooks.slack.com/commands/1")]
    [InlineData("https://hooks.slack.com:444/")]
    [InlineData("https://hooks.slack.com:443@evil.test/")]
    [InlineData("https://user:pw@hooks.slack.com/")]
    [InlineData("https://xhooks.slack.com/")]
    [InlineData("https://hooks.slack.com./")]
    [InlineData("https://hooks.slack.com")]
    [InlineData("https://HOOKS.slack.com/")]
    [InlineData("https://169.254.169.254/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("//hooks.slack.com/x")]
    [InlineData("https:\\\\hooks.slack.com\\x")]
    [InlineData("https://hooks.slack.com\\@evil.test/")]
    [InlineData(" https://hooks.slack.com/x")]
    [InlineData("https://hooks.slack.com/x\n")]
    [InlineData("https://hooks.slack.com/\u0000")]
    [InlineData("https://hooks.slack.com/commands/../x")]
    [InlineData("https://hooks.slack.com/commands/..")]
    [InlineData("https://hooks.slack.com/./x")]
    [InlineData("https://hooks.slack.com/%2e%2e/x")]
    [InlineData("https://hooks.slack.com/commands/.%2E/x")]
    [InlineData("https://hooks.slack.com/commands/%2e%2e%2fx")]
    [InlineData("https://hooks.slack.com/x?y=/../z")]
    [InlineData("https://hooks。slack.com/")]
    [InlineData("")]
    [InlineData(null)]
    public void No_other_address_may(string? text) => Assert.False(ReplyUrl.TryParse(text, out _));

    [Theory]
    [InlineData(511, true)]
    [InlineData(512, false)]
    [InlineData(10_000, false)]
    public void An_address_is_shorter_than_512_characters(int length, bool taken) =>
        Assert.Equal(taken, ReplyUrl.TryParse("https://hooks.slack.com/".PadRight(length, 'x'), out _));

    [Fact]
    public void None_of_the_standards_tricky_addresses_gets_through()
    {
        using var vectors = Vectors.Read("wpt_urltestdata.json");
        var inputs = vectors.RootElement.EnumerateArray()
            .Where(one => one.ValueKind == System.Text.Json.JsonValueKind.Object).Select(one => one.GetProperty("input").GetString()!).ToList();
        Assert.DoesNotContain(inputs, input => ReplyUrl.TryParse(input, out _));
        Assert.True(inputs.Count > 500);
    }

    [Fact]
    public async Task A_sealed_address_opens_for_its_own_execution_only()
    {
        var seal = new ReplySeal(Secret(out _));
        ReplyUrl.TryParse("https://hooks.slack.com/commands/T1/2/abc", out var url);
        var sealedUrl = await seal.SealAsync(url!, A.Id, SlackFixture.Cancel);

        Assert.Equal(url!.Url, (await seal.OpenAsync(sealedUrl, A.Id, SlackFixture.Cancel))!.Url);
        Assert.Null(await seal.OpenAsync(sealedUrl, ExecutionId.Of("T1", "another"), SlackFixture.Cancel));
        Assert.DoesNotContain("hooks", Encoding.Latin1.GetString(sealedUrl), StringComparison.Ordinal);
        for (var at = 0; at < sealedUrl.Length; at++)
        {
            var bent = sealedUrl.ToArray();
            bent[at] ^= 1;
            Assert.Null(await seal.OpenAsync(bent, A.Id, SlackFixture.Cancel));
        }
        Assert.Null(await seal.OpenAsync(sealedUrl[..20], A.Id, SlackFixture.Cancel));
    }

    [Fact]
    public async Task An_address_sealed_before_a_rotation_opens_during_the_overlap()
    {
        var seal = new ReplySeal(Secret(out var secrets));
        ReplyUrl.TryParse("https://hooks.slack.com/commands/T1/2/abc", out var url);
        var sealedUrl = await seal.SealAsync(url!, A.Id, SlackFixture.Cancel);

        secrets.Put("v2", SlackFixture.SecretText("new", replyKey: 9), SlackFixture.Start);
        var rotated = new ReplySeal(Secret(secrets));
        Assert.NotNull(await rotated.OpenAsync(sealedUrl, A.Id, SlackFixture.Cancel));
        Assert.NotEqual(sealedUrl, await rotated.SealAsync(url!, A.Id, SlackFixture.Cancel));
    }

    private static RotatingSecret<SlackSecret> Secret(out KeptSecrets secrets)
    {
        secrets = new();
        secrets.Put("v1", SlackFixture.SecretText(SlackFixture.SigningSecret), SlackFixture.Start);
        return Secret(secrets);
    }

    private static RotatingSecret<SlackSecret> Secret(KeptSecrets secrets) =>
        new(secrets, "slack", SlackSecret.Parse, SlackSecret.Overlap, new SetClock(SlackFixture.Start));
}

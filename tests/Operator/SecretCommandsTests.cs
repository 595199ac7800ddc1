using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.Operator;

/// <summary>What a rotation writes, read as the functions read it.</summary>
public sealed class SecretCommandsTests(LocalCloud cloud)
{
    private static readonly string OldSlack =
        $$"""{"signing_secret":"old","response_url_key":"{{Convert.ToBase64String(new byte[32])}}","origin_verify":"edge"}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_root_rotations_within_two_days_lose_no_key_that_something_was_signed_with()
    {
        await using var ctl = await StartAsync();
        var keys = Keys(ctl);
        var signed = new List<KeyId> { (await keys.ToSignAsync(OperatorFixture.Seven, Cancel)).Id };
        for (var rotation = 0; rotation < 2; rotation++)
        {
            // The second one needs the word that it is a leak, or the end of the overlap: what it would take away is still under way.
            var said = await ctl.SayAsync("secret rotate token-root");
            if (rotation == 1)
                said.Refuses(1, "honoured until 2026-11-07T10:10:00.000Z", "--leaked");
            ctl.Clock.Advance(TimeSpan.FromHours(1));
        }
        Assert.Equal(2, (await Keys(ctl).PublishedAsync(OperatorFixture.Seven, Cancel)).Count);
        signed.Add((await Keys(ctl).ToSignAsync(OperatorFixture.Seven, Cancel)).Id);

        // By hand, then, as before: nothing is lost either, for the value before it holds them all.
        ctl.Secrets.Put("TokenRootSecret", $$"""{"root":"{{Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}}"}""");
        var published = (await Keys(ctl).PublishedAsync(OperatorFixture.Seven, Cancel)).Select(key => key.Id).ToList();
        Assert.Equal(3, published.Count);
        Assert.All(signed, id => Assert.Contains(id, published));
        Assert.Equal(signed[1], (await Keys(ctl).ToSignAsync(OperatorFixture.Seven, Cancel)).Id);          // the newest is published, and does not sign yet
    }

    [Fact]
    public async Task A_bad_value_and_its_mending_lose_nothing_and_the_new_key_is_published_before_it_signs()
    {
        await using var ctl = await StartAsync();
        var before = (await Keys(ctl).ToSignAsync(OperatorFixture.Seven, Cancel)).Id;
        ctl.Secrets.Put("TokenRootSecret", "oops");
        Assert.Equal(before, (await Keys(ctl).ToSignAsync(OperatorFixture.Seven, Cancel)).Id);              // a function that starts meanwhile

        var said = await ctl.DoAsync("secret rotate token-root");
        Assert.Contains("could not be read", said.Error, StringComparison.Ordinal);
        var published = await Keys(ctl).PublishedAsync(OperatorFixture.Seven, Cancel);
        Assert.Equal([before], published.Skip(1).Select(key => key.Id));
        Assert.Equal(before, (await Keys(ctl).ToSignAsync(OperatorFixture.Seven, Cancel)).Id);
        ctl.Clock.Advance(RootSecret.PublishFirst);
        Assert.Equal(published[0].Id, (await Keys(ctl).ToSignAsync(OperatorFixture.Seven, Cancel)).Id);
    }

    [Fact]
    public async Task A_leaked_root_ends_at_once_with_all_before_it()
    {
        await using var ctl = await StartAsync();
        await ctl.DoAsync("secret rotate token-root");
        ctl.Clock.Advance(TimeSpan.FromMinutes(1));
        var before = (await Keys(ctl).PublishedAsync(OperatorFixture.Seven, Cancel)).Select(key => key.Id).ToList();
        Assert.Contains("Within five minutes the value before is honoured nowhere", (await ctl.DoAsync("secret rotate token-root --leaked")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Assert.Single(await Keys(ctl).PublishedAsync(OperatorFixture.Seven, Cancel)).Id, before);
    }

    [Fact]
    public async Task A_generation_goes_when_its_overlap_is_over()
    {
        await using var ctl = await StartAsync();
        for (var i = 0; i < 4; i++)
        {
            var said = (await ctl.DoAsync("secret rotate token-root --output json")).Json;
            Assert.Equal(1, said.GetProperty("kept").GetInt32());
            ctl.Clock.Advance(RootSecret.Overlap);
        }
        Assert.Single(await Keys(ctl).PublishedAsync(OperatorFixture.Seven, Cancel));
    }

    [Fact]
    public async Task A_new_signing_secret_from_Slack_is_honoured_beside_the_old_and_leaves_the_other_parts()
    {
        await using var ctl = await StartAsync();
        var file = await FileAsync("new\n");
        await ctl.DoAsync($"secret rotate slack --from {file}");
        var read = await SlackAsync(ctl);
        Assert.Equal(["new", "old"], read.All.Select(one => Encoding.UTF8.GetString(one.Value.SigningKey)));
        Assert.All(read.All, one => Assert.True(one.Value.IsOrigin("edge"u8)));
        Assert.All(read.All, one => Assert.Equal(new byte[32], one.Value.ReplyKey));

        // Another part may be rotated meanwhile, and the edge finds its own where it always was.
        await ctl.DoAsync("secret rotate origin");
        var version = (await ctl.DoAsync("secret rotate reply-key --output json")).Json.GetProperty("version_id").GetString();
        Assert.Equal(["new", "new", "new", "old"], (await SlackAsync(ctl)).All.Select(one => Encoding.UTF8.GetString(one.Value.SigningKey)));
        using var stored = JsonDocument.Parse(ctl.Secrets.Get("SlackSecret", version, null).Text);
        Assert.True((await SlackAsync(ctl)).Current.Value.IsOrigin(Encoding.UTF8.GetBytes(stored.RootElement.GetProperty("origin_verify").GetString()!)));
        (await ctl.SayAsync($"secret rotate slack --from {file}")).Refuses(1, "honoured until");
    }

    [Fact]
    public async Task A_leaked_signing_secret_ends_at_once_and_reply_addresses_still_open()
    {
        await using var ctl = await StartAsync();
        await ctl.DoAsync("secret rotate reply-key");
        await ctl.DoAsync($"secret rotate slack --leaked --from {await FileAsync("new")}");
        var read = await SlackAsync(ctl);
        Assert.All(read.All, one => Assert.Equal("new", Encoding.UTF8.GetString(one.Value.SigningKey)));
        Assert.Contains(read.All, one => one.Value.ReplyKey.AsSpan().SequenceEqual(new byte[32]));
    }

    [Theory]
    [InlineData("secret rotate slack", "--from")]
    [InlineData("secret rotate token-root --from x", "leave out --from")]
    [InlineData("secret rotate slack --from {blank}", "nothing was written")]
    [InlineData("secret rotate slack --from {empty}", "holds no such value")]
    public async Task What_would_not_work_is_refused_before_anything_is_written(string line, string why)
    {
        await using var ctl = await StartAsync();
        line = line.Replace("{blank}", await FileAsync(" new"), StringComparison.Ordinal).Replace("{empty}", await FileAsync("\n"), StringComparison.Ordinal);
        (await ctl.SayAsync(line)).Refuses(1, why);
        Assert.Single(ctl.Secrets.VersionsOf("SlackSecret"));
        Assert.Single(ctl.Secrets.VersionsOf("TokenRootSecret"));
    }

    [Fact]
    public async Task A_new_stacks_secret_is_filled_by_the_same_command()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        ctl.Secrets.Put("SlackSecret", """{"signing_secret":"","response_url_key":"","origin_verify":"made by the stack"}""", create: true);
        await ctl.DoAsync($"secret rotate slack --from {await FileAsync("signing\n")}");
        var read = (await SlackAsync(ctl)).Current.Value;
        Assert.Equal("signing"u8.ToArray(), read.SigningKey);
        Assert.True(read.IsOrigin("made by the stack"u8));
    }

    [Fact]
    public async Task No_value_is_shown()
    {
        await using var ctl = await StartAsync();
        foreach (var line in new[] { "secret rotate token-root", "secret rotate reply-key", "secret rotate origin",
            $"secret rotate slack --leaked --from {await FileAsync("hush-hush")}" })
        {
            var said = await ctl.DoAsync(line);
            foreach (var secret in new[] { "SlackSecret", "TokenRootSecret" })
                // the shorter ones are words
                foreach (var value in Values(JsonNode.Parse(ctl.Secrets.Get(secret, null, null).Text)!).Where(value => value.Length > 8))
                    Assert.DoesNotContain(value, said.Output + said.Error, StringComparison.Ordinal);
        }
    }

    private static IEnumerable<string> Values(JsonNode json) => json switch
    {
        JsonObject members => members.Where(member => member.Key is not ("id" or "at")).SelectMany(member => Values(member.Value!)),
        JsonArray items => items.SelectMany(item => Values(item!)),
        _ => [json.GetValue<string>()],
    };

    private async Task<OperatorFixture> StartAsync()
    {
        var ctl = await OperatorFixture.StartAsync(cloud);
        ctl.Secrets.Put("SlackSecret", OldSlack, "s1", create: true);
        return ctl;
    }

    private static TenantKeys Keys(OperatorFixture ctl) =>
        new(new RotatingSecret<RootSecret>(new VaultSource(ctl), "TokenRootSecret", RootSecret.Parse, RootSecret.Overlap, ctl.Clock), ctl.Clock);

    private static async Task<SecretVersions<SlackSecret>> SlackAsync(OperatorFixture ctl) =>
        await new RotatingSecret<SlackSecret>(new VaultSource(ctl), "SlackSecret", SlackSecret.Parse, SlackSecret.Overlap, ctl.Clock).GetAsync(Cancel);

    private static async Task<string> FileAsync(string text)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, text, Cancel);
        return file;
    }

    private sealed class VaultSource(OperatorFixture ctl) : ISecretSource
    {
        public Task<StoredSecret?> ReadAsync(string secretId, string stage, CancellationToken cancel)
        {
            var version = ctl.Secrets.VersionsOf(secretId).LastOrDefault(one => one.Stages.Contains(stage));
            return Task.FromResult(version is null ? null : new StoredSecret(version.VersionId, version.Text, version.Created));
        }
    }
}

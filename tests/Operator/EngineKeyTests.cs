using System.Security.Cryptography;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.Operator;

public sealed class EngineKeyTests(LocalCloud cloud)
{
    [Fact]
    public async Task The_key_that_is_printed_is_the_one_that_signs_for_the_tenant()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var said = await ctl.DoAsync("engine-key tenant-7");
        Assert.Contains("issuer https://api.example.com, audience urn:dp:tenant-7.", said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", said.Error, StringComparison.Ordinal);

        using var printed = ECDsa.Create();
        printed.ImportFromPem(said.Output);
        using var signing = RootSecret.Parse("""{"root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}""").KeyOf(OperatorFixture.Seven, "v1");
        Assert.Equal(signing.Public.ToPem(), printed.ExportSubjectPublicKeyInfoPem());
        Assert.Contains($"key {signing.Id} signs from 2026-11-05T10:00:00.000Z, and does now.", said.Error, StringComparison.Ordinal);
        var json = await ctl.DoAsync("engine-key tenant-7 --output json");
        Assert.Equal(signing.Id.ToString(), json.Json.GetProperty("key_id").GetString());
        Assert.Equal("", json.Error);
    }

    [Fact]
    public async Task After_a_rotation_the_previous_key_signs_for_ten_minutes_more()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var before = (await ctl.DoAsync("engine-key tenant-7")).Output;
        (await ctl.SayAsync("engine-key tenant-7 --previous")).Refuses(1, "no previous key", "Leave out --previous");

        ctl.Secrets.Put("TokenRootSecret", """{"root":"HRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEAAQI="}""", "v2");
        ctl.Clock.Advance(RootSecret.PublishFirst - TimeSpan.FromSeconds(1));
        Assert.Equal(before, (await ctl.DoAsync("engine-key tenant-7 --previous")).Output);
        Assert.Contains("does not sign before 2026-11-05T10:10:00.000Z", (await ctl.DoAsync("engine-key tenant-7")).Error, StringComparison.Ordinal);

        ctl.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.DoesNotContain("warning", (await ctl.DoAsync("engine-key tenant-7")).Error, StringComparison.Ordinal);
        Assert.Contains("signs no more since 2026-11-05T10:10:00.000Z", (await ctl.DoAsync("engine-key tenant-7 --previous")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"root":"c2hvcnQ="}"""), InlineData("a secret of ours"), InlineData("{}")]
    public async Task A_root_secret_that_is_none_is_said_so_and_not_printed(string secret)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        ctl.Secrets.Put("TokenRootSecret", secret);
        Assert.Contains("the key before it serves", (await ctl.DoAsync("engine-key tenant-7")).Error, StringComparison.Ordinal);
        ctl.Secrets.Put("TokenRootSecret", secret);         // now nothing before it can be read either
        var said = await ctl.SayAsync("engine-key tenant-7");
        said.Refuses(1, "token root secret", "infra/README.md");
        Assert.DoesNotContain("c2hvcnQ", said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("of ours", said.Error, StringComparison.Ordinal);
    }
}

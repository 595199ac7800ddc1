using ControlPlane.Aws;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Text;

namespace ControlPlane.Tests.Operator;

public sealed class KeyCommandsTests(LocalCloud cloud)
{
    // RFC 8032 §7.1, test 1, and the id that RFC 8037 A.3 computes for it.
    private const string PublicKey = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", KeyId = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    private static readonly KeyId Sidecar = Tenants.KeyId.Parse(KeyId);

    // RFC 8032 §7.1, test 2.
    private const string Another = "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_added_and_its_id_printed()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        Assert.Contains(
            KeyId, (await ctl.DoAsync($"key add tenant-7 --public-key {PublicKey} --instance i-0abc1234def567890 --not-after 2027-01-01T00:00:00Z")).Output,
            StringComparison.Ordinal);

        var key = await ctl.Registry.FindKeyAsync(Sidecar, Cancel);
        Assert.Equal(
            (OperatorFixture.Seven, "i-0abc1234def567890", new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            (key!.Tenant, key.Instance!, key.NotAfter!.Value));
        Assert.Equal(PublicKey, Convert.ToBase64String(key.PublicKey));
        Assert.Contains(
            "so before",
            (await ctl.DoAsync($"key add tenant-7 --public-key {PublicKey} --instance i-0abc1234def567890 --not-after 2027-01-01T00:00:00Z")).Output,
            StringComparison.Ordinal);
        (await ctl.SayAsync($"key add tenant-7 --public-key {PublicKey}")).Refuses(1, "there already", "make a new one");
    }

    [Fact]
    public async Task An_invitation_is_a_code_that_is_shown_once_and_registers_one_key()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var code = (await ctl.DoAsync("key invite tenant-7 --instance i-0abc1234def567890 --ttl 2h")).Output.Trim();

        Assert.True(ControlPlane.Secrets.OneTimeCode.TryParse(code, out var read));
        var key = new SidecarKey(
            Tenants.KeyId.Parse(KeyId), OperatorFixture.Seven, "i-0abc1234def567890", StrictBase64.Decode(PublicKey)!, ctl.Clock.GetUtcNow(), null, null);
        var store = new EnrolmentStore(ctl.Tables.Client, ctl.Tables.Tenants, ctl.Clock);
        Assert.Equal(Enrolled.InviteInvalid, await store.EnrolAsync(key with { Instance = "i-other" }, read.Hash, Cancel));
        Assert.Equal(Enrolled.Now, await store.EnrolAsync(key, read.Hash, Cancel));
        Assert.Equal(Enrolled.Before, await store.EnrolAsync(key, read.Hash, Cancel));
    }

    [Fact]
    public async Task Invitations_are_listed_without_their_codes_and_withdrawn_before_they_are_used()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var made = (await ctl.DoAsync("key invite tenant-7 --output json")).Json;
        var (id, code) = (made.GetProperty("id").GetString()!, made.GetProperty("code").GetString()!);

        var listed = await ctl.DoAsync("key invites tenant-7");
        Assert.Contains(id, listed.Output, StringComparison.Ordinal);
        Assert.Contains("open", listed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(code, listed.Output, StringComparison.Ordinal);

        await ctl.DoAsync($"key withdraw tenant-7 {id}");
        Assert.True(ControlPlane.Secrets.OneTimeCode.TryParse(code, out var read));
        var key = new SidecarKey(
            Tenants.KeyId.Parse(KeyId), OperatorFixture.Seven, "i-0abc1234def567890", StrictBase64.Decode(PublicKey)!, ctl.Clock.GetUtcNow(), null, null);
        var store = new EnrolmentStore(ctl.Tables.Client, ctl.Tables.Tenants, ctl.Clock);
        Assert.Equal(Enrolled.InviteInvalid, await store.EnrolAsync(key, read.Hash, Cancel));
        (await ctl.SayAsync($"key withdraw tenant-7 {id}")).Refuses(1, "no open invitation", "key invites");

        // A used one stays on record, with the key that came of it, and is not to be withdrawn any more.
        var second = (await ctl.DoAsync("key invite tenant-7 --output json")).Json;
        Assert.True(ControlPlane.Secrets.OneTimeCode.TryParse(second.GetProperty("code").GetString(), out var used));
        Assert.Equal(Enrolled.Now, await store.EnrolAsync(key, used.Hash, Cancel));
        var one = Assert.Single((await ctl.DoAsync("key invites tenant-7 --output json")).Json.GetProperty("invitations").EnumerateArray());
        Assert.Equal(("used", KeyId), (one.GetProperty("state").GetString(), one.GetProperty("used_by").GetString()));
        (await ctl.SayAsync($"key withdraw tenant-7 {second.GetProperty("id").GetString()}")).Refuses(1, "key revoke");
    }

    [Fact]
    public async Task An_invitation_wants_a_tenant_that_is_there_and_a_time_that_is_meant()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        (await ctl.SayAsync("key invite tenant-7")).Refuses(1, "not registered");
        await ctl.RegisterAsync();
        (await ctl.SayAsync("key invite tenant-7 --ttl 169h")).Refuses(2, "up to 168h");
        (await ctl.SayAsync("key invite tenant-7 --ttl 0s")).Refuses(2, "up to 168h");
    }

    [Theory]
    [InlineData(31), InlineData(33), InlineData(0)]
    public async Task A_key_of_another_length_is_refused(int length)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync($"key add tenant-7 --public-key '{Convert.ToBase64String(Enumerable.Repeat((byte)9, length).ToArray())}'"))
            .Refuses(2, "base64 of 32 bytes");
    }

    [Theory]
    [InlineData("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"), InlineData("' 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='"),
        InlineData("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]
    [InlineData("'11qYAYKxCrfVS/7TyWQHOg7h\ncvPapiMlrwIaaPcHURo='"), InlineData("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp=")]
    [InlineData("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")]
    public async Task A_key_in_another_spelling_is_refused(string text)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync($"key add tenant-7 --public-key {text}")).Refuses(2, "base64 of 32 bytes");
    }

    // The eight points of small order, with either sign where both are spellable, their non-canonical spellings, other y ≥ p, and a y that is on no point.
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000080")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000080")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]
    [InlineData("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85")]
    [InlineData("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")]
    [InlineData("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("0200000000000000000000000000000000000000000000000000000000000000")]
    public async Task A_key_that_could_vouch_for_nobody_is_refused(string hex)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync($"key add tenant-7 --public-key {Convert.ToBase64String(Convert.FromHexString(hex))}"))
            .Refuses(1, "no Ed25519 key", "make a new one");
        Assert.Empty(await ctl.Registry.KeysOfAsync(OperatorFixture.Seven, Cancel));
    }

    [Fact]
    public async Task A_key_has_one_owner()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("tenant register tenant-8 --name Other --engine 10.107.128.10:5678");
        await ctl.DoAsync($"key add tenant-7 --public-key {PublicKey}");
        (await ctl.SayAsync($"key add tenant-8 --public-key {PublicKey}")).Refuses(1, "tenant-7's", "one owner");
        (await ctl.SayAsync($"key revoke tenant-8 {KeyId}")).Refuses(1, "tenant-8 has no key", "./ctl key list tenant-8");
        Assert.True((await ctl.Registry.FindKeyAsync(Sidecar, Cancel))!.IsValidAt(ctl.Clock.Now));
    }

    [Fact]
    public async Task A_revoked_key_stays_on_record_and_does_not_come_back()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync($"key add tenant-7 --public-key {PublicKey}");
        await ctl.DoAsync($"key add tenant-7 --public-key {Another}");
        Assert.Equal("", (await ctl.DoAsync($"key revoke tenant-7 {KeyId}")).Error);
        var revokedAt = (await ctl.Registry.FindKeyAsync(Sidecar, Cancel))!.RevokedAt;
        ctl.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Contains("so before", (await ctl.DoAsync($"key revoke tenant-7 {KeyId}")).Output, StringComparison.Ordinal);
        Assert.Equal(revokedAt, (await ctl.Registry.FindKeyAsync(Sidecar, Cancel))!.RevokedAt);
        (await ctl.SayAsync($"key add tenant-7 --public-key {PublicKey}")).Refuses(1, "was revoked", "make a new one");

        var other = (await ctl.Registry.KeysOfAsync(OperatorFixture.Seven, Cancel)).Single(key => key.KeyId != Sidecar);
        Assert.Contains("no valid key left", (await ctl.DoAsync($"key revoke tenant-7 {other.KeyId}")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-11-05T10:00:00Z", 1, "is over")]
    [InlineData("2026-11-05", 2, "2027-01-01T00:00:00Z")]
    [InlineData("2027-01-01T00:00:00+01:00", 2, "2027-01-01T00:00:00Z")]
    public async Task A_key_ends_in_the_future_or_not_at_all(string time, int exit, string mend)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync($"key add tenant-7 --public-key {PublicKey} --not-after {time}")).Refuses(exit, mend);
    }
}

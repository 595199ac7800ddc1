using System.Text.Json;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Tokens;

public class TenantKeysTests
{
    private static readonly TenantId Tenant43 = TenantId.Parse("tenant-43");

    private readonly FakeTimeProvider _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly KeptSecrets _secrets;
    private readonly TenantKeys _keys;

    public TenantKeysTests()
    {
        _secrets = KeptSecrets.WithRoot("v1", _clock.GetUtcNow() - TimeSpan.FromDays(30));
        _keys = new(new RotatingSecret<RootSecret>(_secrets, "root", RootSecret.Parse, RootSecret.Overlap, _clock), _clock);
    }

    public static TheoryData<string> Derivations => [.. Cases().Select(one => one.GetRawText())];

    [Theory, MemberData(nameof(Derivations))]
    public void A_key_is_derived_as_an_independent_implementation_derives_it(string json)
    {
        using var document = JsonDocument.Parse(json);
        var expected = document.RootElement;
        var root = RootSecret.Parse($$"""{"root":"{{expected.GetProperty("root").GetString()}}"}""");

        using var key = root.KeyOf(TenantId.Parse(expected.GetProperty("tenant_id").GetString()!), expected.GetProperty("version_id").GetString()!);

        Assert.Equal(expected.GetProperty("kid").GetString(), key.Id.ToString());
        Assert.Equal(expected.GetProperty("pem").GetString(), key.Public.ToPem());
        using var published = JsonDocument.Parse(JwkSet.Write([key.Public]));
        Assert.Equal(expected.GetProperty("x").GetString(), published.RootElement.GetProperty("keys")[0].GetProperty("x").GetString());
        Assert.Equal(expected.GetProperty("y").GetString(), published.RootElement.GetProperty("keys")[0].GetProperty("y").GetString());
    }

    [Fact]
    public async Task A_new_generation_is_published_before_it_signs()
    {
        var old = await _keys.ToSignAsync(Tenant43, Cancel);
        _secrets.PutRoot("v2", _clock.GetUtcNow(), first: 1);
        _clock.Advance(RotatingSecret<RootSecret>.MaximumAge);

        var published = await _keys.PublishedAsync(Tenant43, Cancel);
        Assert.Equal(2, published.Count);
        Assert.Equal(old.Id, published[1].Id);

        _clock.Advance(RootSecret.PublishFirst - RotatingSecret<RootSecret>.MaximumAge - TimeSpan.FromSeconds(1));
        Assert.Equal(old.Id, (await _keys.ToSignAsync(Tenant43, Cancel)).Id);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(published[0].Id, (await _keys.ToSignAsync(Tenant43, Cancel)).Id);
    }

    [Fact]
    public async Task The_previous_generation_verifies_until_its_last_token_has_expired()
    {
        var old = await _keys.ToSignAsync(Tenant43, Cancel);
        _secrets.PutRoot("v2", _clock.GetUtcNow(), first: 1);

        _clock.Advance(RootSecret.Overlap - TimeSpan.FromSeconds(1));
        Assert.NotNull(await _keys.FindAsync(Tenant43, old.Id, Cancel));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await _keys.FindAsync(Tenant43, old.Id, Cancel));
    }

    [Fact]
    public async Task Of_two_generations_within_ten_minutes_each_signs_when_it_has_been_published_for_as_long()
    {
        var (first, start) = (await _keys.ToSignAsync(Tenant43, Cancel), _clock.GetUtcNow());
        _secrets.Put("v3", Generations("v3", 3, start.AddMinutes(5), ("v2", 2, start), ("v1", 0, start.AddDays(-30))), start.AddMinutes(5));
        foreach (var (minutes, id) in new[] { (6, first.Id.ToString()), (9, first.Id.ToString()), (10, "v2"), (14, "v2"), (15, "v3") })
        {
            _clock.SetUtcNow(start.AddMinutes(minutes));
            var keys = new TenantKeys(new RotatingSecret<RootSecret>(_secrets, "root", RootSecret.Parse, RootSecret.Overlap, _clock), _clock);
            var published = await keys.PublishedAsync(Tenant43, Cancel);
            Assert.Equal(
            id switch { "v2" => published[1].Id.ToString(), "v3" => published[0].Id.ToString(), _ => id },
            (await keys.ToSignAsync(Tenant43, Cancel)).Id.ToString());
            Assert.Equal(first.Id, published[2].Id);
        }
    }

    private static string Generations(string id, int first, DateTimeOffset at, params (string Id, int First, DateTimeOffset At)[] before) =>
        "{" + Members(id, first, at) + ",\"before\":[" + string.Join(',', before.Select(one => "{" + Members(one.Id, one.First, one.At) + "}")) + "]}";

    private static string Members(string id, int first, DateTimeOffset at) =>
        $"\"id\":\"{id}\",\"at\":\"{ControlPlane.Text.Rfc3339.Format(at)}\",\"root\":\"{Convert.ToBase64String([.. Enumerable.Range(first, 32).Select(i => (byte)i)])}\"";

    [Fact]
    public async Task A_generation_nobody_told_us_of_is_found_at_once()
    {
        await _keys.ToSignAsync(Tenant43, Cancel);
        _clock.Advance(RotatingSecret<RootSecret>.RefreshInterval);
        _secrets.PutRoot("v2", _clock.GetUtcNow(), first: 1);
        using var newer = RootSecret.Parse("""{"root":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}""").KeyOf(Tenant43, "v2");

        Assert.NotNull(await _keys.FindAsync(Tenant43, newer.Id, Cancel));
    }

    [Fact]
    public async Task A_flood_of_unknown_key_ids_is_no_flood_of_reads()
    {
        for (var i = 0; i < 10_000; i++)
            Assert.Null(await _keys.FindAsync(Tenant43, KeyId.Parse($"{i:D43}"), Cancel));

        Assert.Equal(1, _secrets.CurrentReads);
    }

    [Fact]
    public async Task No_two_tenants_share_a_key()
    {
        var ids = new HashSet<KeyId>();
        for (var n = 1; n <= TenantId.Highest; n++)
            Assert.True(ids.Add((await _keys.ToSignAsync(TenantId.Parse($"tenant-{n}"), Cancel)).Id));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"root":null}""")]
    [InlineData("""{"root":""}""")]
    [InlineData("""{"root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="}""")]                                // 31 bytes
    [InlineData("""{"root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}""")]                                 // unpadded
    [InlineData("""{"root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}""")]
    [InlineData("""AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=""")]
    public void What_is_no_root_secret_stops_the_start_and_is_not_quoted(string text)
    {
        var fault = Assert.Throws<FormatException>(() => RootSecret.Parse(text));
        Assert.DoesNotContain("AAEC", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_private_key_prints_as_its_id_and_does_not_serialize()
    {
        var key = await _keys.ToSignAsync(Tenant43, Cancel);

        Assert.Equal(key.Id.ToString(), key.ToString());
        Assert.Throws<NotSupportedException>(() => JsonSerializer.Serialize(key, JsonSerializerOptions.Default.GetTypeInfo(typeof(TenantSigningKey))));
        Assert.Equal("RootSecret", RootSecret.Parse("""{"root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}""").ToString());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static JsonElement[] Cases()
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(RepositoryRoot.Find(), "tests/Tokens/derivation.json")));
        return [.. golden.RootElement.GetProperty("cases").EnumerateArray().Select(one => one.Clone())];
    }
}

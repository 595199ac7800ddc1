using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Tokens;

public class TokenTests
{
    private static readonly TenantId Tenant1 = TenantId.Parse("tenant-1");
    private static readonly TenantId Tenant2 = TenantId.Parse("tenant-2");
    private static readonly ExecutionId Execution = ExecutionId.Of("T0001", "trigger");
    private static readonly Uri Issuer = new("https://api.example.com");

    private readonly FakeTimeProvider _clock = new(new(2026, 11, 22, 12, 0, 0, 789, TimeSpan.Zero));
    private readonly TenantKeys _keys;
    private readonly TokenMinter _minter;
    private readonly TokenVerifier _verifier;

    public TokenTests()
    {
        var secrets = KeptSecrets.WithRoot("v1", _clock.GetUtcNow() - TimeSpan.FromDays(30));
        _keys = new(new RotatingSecret<RootSecret>(secrets, "root", RootSecret.Parse, RootSecret.Overlap, _clock), _clock);
        _minter = new(Issuer, _clock);
        _verifier = new(_keys, Issuer, _clock);
    }

    private DateTimeOffset Now => _clock.GetUtcNow();

    [Fact]
    public async Task An_outcome_token_names_its_tenant_and_its_execution()
    {
        var token = await OutcomeAsync(Tenant1);

        var verified = Assert.IsType<TokenCheck.Verified>(await _verifier.VerifyAsync(token, Cancel));

        Assert.Equal(Tenant1, verified.Tenant);
        Assert.Equal(Execution, verified.Execution);
        Assert.NotEmpty(verified.TokenId);
    }

    [Fact]
    public async Task A_dispatch_token_says_what_the_contract_lists_and_nothing_else()
    {
        var body = "{\"schema\":\"dispatch.v1\"}"u8.ToArray();
        var key = await _keys.ToSignAsync(Tenant1, Cancel);

        var token = _minter.ForDispatch(key, Tenant1, Execution, WorkflowName.Parse("wf_sched"), body);

        var iat = Now.ToUnixTimeSeconds();
        var (header, payload) = Parts(token.Text);
        AssertMembers(header, new() { ["alg"] = "ES256", ["typ"] = "dispatch+jwt", ["kid"] = key.Id });
        AssertMembers(payload, new()
        {
            ["iss"] = "https://api.example.com",
            ["aud"] = "urn:dp:tenant-1",
            ["sub"] = Execution.ToString(),
            ["jti"] = payload.GetProperty("jti").GetString()!,
            ["iat"] = iat,
            ["nbf"] = iat - 5,
            ["exp"] = iat + 600,
            ["tenant_id"] = "tenant-1",
            ["workflow"] = "wf_sched",
            ["bsh"] = System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(body)),
        });
        Assert.Equal(iat + 600, token.ExpiresAt.ToUnixTimeSeconds());
        Assert.Equal(86, token.Text.Split('.')[2].Length);
        Assert.DoesNotContain(token.Text, token.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_outcome_token_lives_a_day_beyond_the_deadline()
    {
        var key = await _keys.ToSignAsync(Tenant1, Cancel);
        var token = _minter.ForOutcome(key, Tenant1, Execution, deadline: Now + TimeSpan.FromHours(1));

        var iat = Now.ToUnixTimeSeconds();
        var (header, payload) = Parts(token.Text);
        AssertMembers(header, new() { ["alg"] = "ES256", ["typ"] = "outcome+jwt", ["kid"] = key.Id });
        AssertMembers(payload, new()
        {
            ["iss"] = "https://api.example.com",
            ["aud"] = "urn:cp:outcomes",
            ["sub"] = Execution.ToString(),
            ["jti"] = payload.GetProperty("jti").GetString()!,
            ["iat"] = iat,
            ["nbf"] = iat,
            ["exp"] = iat + 25 * 3600,
            ["tenant_id"] = "tenant-1",
        });
    }

    [Fact]
    public async Task No_outcome_token_lives_longer_than_two_days()
    {
        var token = _minter.ForOutcome(await _keys.ToSignAsync(Tenant1, Cancel), Tenant1, Execution, deadline: Now + TimeSpan.FromDays(3));

        Assert.Equal(Now.ToUnixTimeSeconds() + 48 * 3600, token.ExpiresAt.ToUnixTimeSeconds());
        Assert.IsType<TokenCheck.Verified>(await _verifier.VerifyAsync(token.Text, Cancel));
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(31, false)]
    public async Task A_token_is_taken_until_thirty_seconds_after_it_expired(int seconds, bool isTaken)
    {
        var key = await _keys.ToSignAsync(Tenant1, Cancel);
        var token = _minter.ForOutcome(key, Tenant1, Execution, Now);
        _clock.SetUtcNow(token.ExpiresAt.AddSeconds(seconds));

        AssertTaken(isTaken, TokenFault.Expired, await _verifier.VerifyAsync(token.Text, Cancel));
    }

    [Theory]
    [InlineData(30, true)]
    [InlineData(31, false)]
    public async Task A_token_from_a_clock_that_is_ahead_is_taken_within_thirty_seconds(int seconds, bool isTaken)
    {
        var ahead = new TokenMinter(Issuer, new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(Now.ToUnixTimeSeconds() + seconds)));
        var token = ahead.ForOutcome(await _keys.ToSignAsync(Tenant1, Cancel), Tenant1, Execution, Now);

        AssertTaken(isTaken, TokenFault.NotYetValid, await _verifier.VerifyAsync(token.Text, Cancel));
    }

    [Fact]
    public async Task A_dispatch_token_is_no_outcome_token()
    {
        var token = _minter.ForDispatch(await _keys.ToSignAsync(Tenant1, Cancel), Tenant1, Execution, WorkflowName.Parse("wf_sched"), "{}"u8);

        Assert.Equal(new TokenCheck.Rejected(TokenFault.WrongType), await _verifier.VerifyAsync(token.Text, Cancel));
    }

    [Fact]
    public async Task One_tenants_key_signs_for_no_other()
    {
        var stolen = await _keys.ToSignAsync(Tenant1, Cancel);

        var token = _minter.ForOutcome(stolen, Tenant2, Execution, Now + TimeSpan.FromHours(1));

        Assert.Equal(new TokenCheck.Rejected(TokenFault.UnknownKey), await _verifier.VerifyAsync(token.Text, Cancel));
    }

    [Fact]
    public async Task A_token_of_one_tenant_fails_against_the_key_of_another()
    {
        var token = await OutcomeAsync(Tenant1);
        var (ours, theirs) = (await _keys.ToSignAsync(Tenant1, Cancel), await _keys.ToSignAsync(Tenant2, Cancel));
        var parts = token.Split('.');
        var signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        var signature = CompactToken.Decode(parts[2])!;

        Assert.True(Es256.Verifies(ours.Public, signed, signature));
        Assert.False(Es256.Verifies(theirs.Public, signed, signature));
    }

    [Fact]
    public async Task Token_ids_do_not_repeat()
    {
        var key = await _keys.ToSignAsync(Tenant1, Cancel);
        var ids = new HashSet<string?>();
        for (var i = 0; i < 2_000; i++)
            Assert.True(ids.Add(Parts(_minter.ForOutcome(key, Tenant1, Execution, Now).Text).Payload.GetProperty("jti").GetString()));
    }

    private async Task<string> OutcomeAsync(TenantId tenant) =>
        _minter.ForOutcome(await _keys.ToSignAsync(tenant, Cancel), tenant, Execution, Now + TimeSpan.FromHours(1)).Text;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static void AssertTaken(bool isTaken, TokenFault otherwise, TokenCheck check)
    {
        if (isTaken)
            Assert.IsType<TokenCheck.Verified>(check);
        else
            Assert.Equal(new TokenCheck.Rejected(otherwise), check);
    }

    private static (JsonElement Header, JsonElement Payload) Parts(string token)
    {
        var parts = token.Split('.');
        return (JsonDocument.Parse(CompactToken.Decode(parts[0])).RootElement, JsonDocument.Parse(CompactToken.Decode(parts[1])).RootElement);
    }

    private static void AssertMembers(JsonElement json, Dictionary<string, object> expected) => Assert.Equal(
        expected.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => $"{member.Key}={member.Value}"),
        json.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => $"{member.Name}={member.Value}"));
}

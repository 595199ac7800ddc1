using System.Diagnostics;
using System.Text.Json.Nodes;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Tokens;

/// <summary>Tokens, key sets and PEM as npm's <c>jose</c> sees them. Skipped where there is no Node or the package cannot be had.</summary>
public class JoseTests
{
    private static readonly string Folder = Path.Combine(RepositoryRoot.Find(), "tests/Tokens/jose");
    private static readonly Lazy<Task<string?>> Missing = new(InstallAsync);

    private readonly FakeTimeProvider _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly KeptSecrets _secrets;
    private readonly TenantKeys _keys;
    private readonly TokenMinter _minter;

    public JoseTests()
    {
        _secrets = KeptSecrets.WithRoot("v1", _clock.GetUtcNow() - TimeSpan.FromDays(30));
        _keys = new(new RotatingSecret<RootSecret>(_secrets, "root", RootSecret.Parse, RootSecret.Overlap, _clock), _clock);
        _minter = new(TokenForge.Issuer, _clock);
    }

    [Fact]
    public async Task It_takes_the_dispatch_token_by_key_set_and_by_PEM()
    {
        var key = await _keys.ToSignAsync(TokenForge.Tenant1, Cancel);
        var token = _minter.ForDispatch(key, TokenForge.Tenant1, TokenForge.Execution, WorkflowName.Parse("wf_sched"), "{}"u8);

        var said = await AskAsync(TokenForge.Tenant1, token.Text, TokenKinds.DispatchType, "urn:dp:tenant-1");

        Assert.Equal(TokenForge.Execution.ToString(), (string?)said["payload"]?["sub"]);
        Assert.True((bool?)said["same"]);
        Assert.Equal([key.Id.ToString()], said["thumbprints"]!.AsArray().Select(print => (string?)print));
    }

    [Fact]
    public async Task It_takes_the_outcome_token()
    {
        var token = _minter.ForOutcome(await _keys.ToSignAsync(TokenForge.Tenant1, Cancel), TokenForge.Tenant1, TokenForge.Execution, _clock.GetUtcNow());

        var said = await AskAsync(TokenForge.Tenant1, token.Text, TokenKinds.OutcomeType, TokenKinds.OutcomeAudience);

        Assert.Equal("tenant-1", (string?)said["payload"]?["tenant_id"]);
    }

    [Fact]
    public async Task It_takes_a_token_of_the_previous_generation_by_the_set_of_both()
    {
        var old = await _keys.ToSignAsync(TokenForge.Tenant1, Cancel);
        _secrets.PutRoot("v2", _clock.GetUtcNow(), first: 1);
        _clock.Advance(RotatingSecret<RootSecret>.MaximumAge);
        var token = _minter.ForOutcome(old, TokenForge.Tenant1, TokenForge.Execution, _clock.GetUtcNow());

        var said = await AskAsync(TokenForge.Tenant1, token.Text, TokenKinds.OutcomeType, TokenKinds.OutcomeAudience, old.Public);

        Assert.Equal(2, said["thumbprints"]?.AsArray().Count);
    }

    [Fact]
    public async Task It_refuses_one_tenants_token_by_anothers_key_set()
    {
        var token = _minter.ForDispatch(
            await _keys.ToSignAsync(TokenForge.Tenant1, Cancel), TokenForge.Tenant1, TokenForge.Execution, WorkflowName.Parse("wf_sched"), "{}"u8);

        Assert.Equal(
            "ERR_JWKS_NO_MATCHING_KEY", (string?)(await AskAsync(TokenForge.Tenant2, token.Text, TokenKinds.DispatchType, "urn:dp:tenant-1"))["error"]);
    }

    private async Task<JsonNode> AskAsync(TenantId tenant, string token, string type, string audience, PublicKey? pem = null)
    {
        var why = await Missing.Value;
        Assert.SkipWhen(why is not null, why ?? "");
        var published = await _keys.PublishedAsync(tenant, Cancel);
        var question = new JsonObject
        {
            ["jwks"] = JsonNode.Parse(JwkSet.Write(published)),
            ["pem"] = (pem ?? published[0]).ToPem(),
            ["token"] = token,
            ["type"] = type,
            ["issuer"] = TokenForge.Issuer.OriginalString,
            ["audience"] = audience,
            ["now"] = _clock.GetUtcNow().ToUnixTimeSeconds(),
        };
        var (_, output) = await RunAsync("node", "verify.mjs", question.ToJsonString());
        return JsonNode.Parse(output)!;
    }

    /// <returns>Why it cannot be asked, or null.</returns>
    private static async Task<string?> InstallAsync()
    {
        try
        {
            if (Directory.Exists(Path.Combine(Folder, "node_modules/jose")))
                return null;
            var (code, _) = await RunAsync("npm", "ci --ignore-scripts --no-audit --no-fund", input: "");
            return code == 0 ? null : "npm could not install jose";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "there is no Node here to run jose with";
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, string arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        await errors;
        return (process.ExitCode, output);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}

using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>The sender that the documentation shows, run as it stands, against the function.</summary>
public sealed partial class SidecarInNodeTests(LocalCloud cloud)
{
    [Fact]
    public async Task The_documented_sender_is_accepted()
    {
        var desk = await HeartbeatDesk.OpenAsync(cloud);
        desk.Clock.Now = TimeProvider.System.GetUtcNow();
        using var folder = new TemporaryFolder();
        var pem = NewKey(out var publicKey);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "sidecar.pem"), pem, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "sidecar.mjs"), DocumentedSender(), TestContext.Current.CancellationToken);
        Assert.True(SidecarPublicKey.TryImport(publicKey, out var key));
        await desk.Registry.TryAddAsync(new(key.KeyId, HeartbeatDesk.Tenant, "i-0abc1234def567890", publicKey, desk.Clock.Now, null, null), TestContext.Current.CancellationToken);

        await using var server = new LoopbackServer(async (http, cancel) =>
        {
            using var body = new MemoryStream();
            await http.Request.InputStream.CopyToAsync(body, cancel);
            var answer = await desk.Function.AnswerAsync(ToEvent(http.Request, body.ToArray()), new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(10) });
            http.Response.StatusCode = answer.StatusCode;
            await http.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer.Body!), cancel);
            http.Response.Close();
        });
        var output = await RunNodeAsync(folder.Path, server.Endpoint);

        Assert.Equal(["200", "200", "200"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]));
        Assert.DoesNotContain("\"duplicate\":true", output, StringComparison.Ordinal);
        var state = await desk.StateAsync();
        Assert.Equal(3, state!.Counter);
        Assert.Equal(3, (await desk.RecordsAsync()).Count);
    }

    private static async Task<string> RunNodeAsync(string folder, string endpoint)
    {
        var start = new ProcessStartInfo("node", ["sidecar.mjs"]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in new[]
        {
            ("CONTROL_PLANE", $"http://{endpoint}"), ("TENANT", "tenant-43"), ("INSTANCE", "i-0abc1234def567890"), ("KEY_FILE", "sidecar.pem"), ("BEATS", "3"), ("INTERVAL_MS", "10"),
        })
            start.Environment[name] = value;
        using var node = Process.Start(start)!;
        var (output, errors) = (node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await errors);
        return await output;
    }

    private static string DocumentedSender() =>
        JavaScript().Match(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "metering-sidecar.md"))) is { Success: true } block
            ? block.Groups[1].Value
            : throw new InvalidDataException("The page has no JavaScript block.");

    // RFC 8410 §7: the seed behind a fixed prefix.
    private static string NewKey(out byte[] publicKey)
    {
        using var key = NSec.Cryptography.Key.Create(
            NSec.Cryptography.SignatureAlgorithm.Ed25519, new() { ExportPolicy = NSec.Cryptography.KeyExportPolicies.AllowPlaintextExport });
        publicKey = key.PublicKey.Export(NSec.Cryptography.KeyBlobFormat.RawPublicKey);
        byte[] pkcs8 = [.. Convert.FromHexString("302e020100300506032b657004220420"), .. key.Export(NSec.Cryptography.KeyBlobFormat.RawPrivateKey)];
        return PemEncoding.WriteString("PRIVATE KEY", pkcs8);
    }

    private static APIGatewayProxyRequest ToEvent(System.Net.HttpListenerRequest request, byte[] body)
    {
        var headers = request.Headers.AllKeys.ToDictionary(name => name!, name => request.Headers[name]!);
        return SidecarSigner.Post(body, "10.142.128.10", headers);
    }

    [GeneratedRegex("```js\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JavaScript();

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("sidecar-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}

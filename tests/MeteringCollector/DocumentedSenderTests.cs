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

/// <summary>The senders that the documentation shows, each run as it stands, against the function.</summary>
public sealed partial class DocumentedSenderTests(LocalCloud cloud)
{
    private const string Instance = "i-0abc1234def567890";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("js"), InlineData("go")]
    public async Task It_is_accepted(string language)
    {
        var (desk, folder) = await PrepareAsync(language);
        using (folder)
        {
            await using var server = new LoopbackServer((http, cancel) => AnswerAsync(desk, http, cancel));
            var output = await RunAsync(language, folder.Path, server.Endpoint, beats: 3, intervalMs: 1100);

            Assert.Equal(["200", "200", "200"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]));
            Assert.DoesNotContain("\"duplicate\":true", output, StringComparison.Ordinal);
            var state = await desk.StateAsync();
            Assert.Equal(3, state!.Counter);
            Assert.Equal(3, (await desk.RecordsAsync()).Count);
        }
    }

    [Theory]
    [InlineData("js"), InlineData("go")]
    public async Task It_keeps_a_sample_through_answers_that_are_not_its_fault_and_gives_it_up_for_others(string language)
    {
        var (_, folder) = await PrepareAsync(language);
        using (folder)
        {
            var (answers, ids, bodies) = (new Queue<int>([401, 403, 404, 429, 500, 503, 200, 422, 200]), new List<string>(), new List<string>());
            await using var server = new LoopbackServer(async (http, cancel) =>
            {
                using var reader = new StreamReader(http.Request.InputStream);
                ids.Add(http.Request.Headers["webhook-id"]!);
                bodies.Add(await reader.ReadToEndAsync(cancel));
                http.Response.StatusCode = answers.Dequeue();
                http.Response.Close();
            });
            await RunAsync(language, folder.Path, server.Endpoint, beats: 9, intervalMs: 1);

            Assert.Equal([1, 1, 1, 1, 1, 1, 1, 2, 3], ids.Select(id => int.Parse(id.Split('_')[^1], System.Globalization.CultureInfo.InvariantCulture)));
            Assert.Single(bodies.Take(7).Distinct());
        }
    }

    private async Task<(HeartbeatFixture Desk, TemporaryFolder Folder)> PrepareAsync(string language)
    {
        Assert.SkipWhen(language == "go" && !CanRun("go", "version"), "no Go to run the example with");
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        desk.Clock.Now = TimeProvider.System.GetUtcNow();
        var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "sidecar.pem"), NewKey(out var publicKey), Cancel);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, language == "js" ? "sidecar.mjs" : "sidecar.go"), DocumentedSender(language), Cancel);
        Assert.True(SidecarPublicKey.TryImport(publicKey, out var key));
        await desk.Registry.TryAddAsync(new(key.KeyId, HeartbeatFixture.Tenant, Instance, publicKey, desk.Clock.Now, null, null), Cancel);
        return (desk, folder);
    }

    private static async Task AnswerAsync(HeartbeatFixture desk, System.Net.HttpListenerContext http, CancellationToken cancel)
    {
        using var body = new MemoryStream();
        await http.Request.InputStream.CopyToAsync(body, cancel);
        var answer = await desk.Function.AnswerAsync(ToEvent(http.Request, body.ToArray()), new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(10) });
        http.Response.StatusCode = answer.StatusCode;
        await http.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer.Body!), cancel);
        http.Response.Close();
    }

    private static async Task<string> RunAsync(string language, string folder, string endpoint, int beats, int intervalMs)
    {
        var start = language == "js" ? new ProcessStartInfo("node", ["sidecar.mjs"]) : new ProcessStartInfo("go", ["run", "sidecar.go"]);
        (start.WorkingDirectory, start.RedirectStandardOutput, start.RedirectStandardError) = (folder, true, true);
        foreach (var (name, value) in new[]
        {
            ("CONTROL_PLANE", $"http://{endpoint}"), ("TENANT", "tenant-43"), ("INSTANCE", Instance), ("KEY_FILE", "sidecar.pem"),
            ("BEATS", $"{beats}"), ("INTERVAL_MS", $"{intervalMs}"), ("GOFLAGS", "-mod=mod"), ("GOPROXY", "off"),
        })
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        Assert.Equal("", await errors);
        return await output;
    }

    private static bool CanRun(string program, string argument)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, [argument]) { RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static string DocumentedSender(string language)
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "metering-sidecar.md"));
        return Block().Matches(page).Single(block => block.Groups[1].Value == language).Groups[2].Value;
    }

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

    [GeneratedRegex("(?m)^```(js|go)\n(.*?)^```$", RegexOptions.Singleline)]
    private static partial Regex Block();

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("sidecar-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}

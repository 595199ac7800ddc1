using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ControlPlane.Tests.Support;
using Event = ControlPlane.Tests.AwsCompat.LoopbackRuntimeApi.Event;

namespace ControlPlane.Tests.AwsCompat;

/// <summary>What only a whole process shows: exit codes, signals, the environment.</summary>
public sealed class FunctionProcessTests
{
    [Fact]
    public async Task SIGTERM_between_events_ends_it_with_exit_code_0()
    {
        await using var api = new LoopbackRuntimeApi();
        await using var function = new FunctionProcess(api.Endpoint, "echo");
        api.Send(new Event("id-1", "one"));
        Assert.Equal("one", (await api.ReportAsync()).Body);

        await function.TerminateAsync();
        Assert.Equal(0, await function.ExitCodeAsync());
    }

    [Fact]
    public async Task SIGTERM_during_an_event_lets_it_be_answered_first()
    {
        var (asked, proceed) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var secrets = new LoopbackServer(async (http, _) =>
        {
            asked.SetResult();
            await proceed.Task;
            http.Response.Close(Encoding.UTF8.GetBytes("""{"ARN":"arn","Name":"slack","VersionId":"v1","SecretString":"late"}"""), willBlock: false);
        });
        await using var api = new LoopbackRuntimeApi();
        await using var function = new FunctionProcess(api.Endpoint, "secret", Aws(secrets));
        api.Send(new Event("id-1", "slack"), new Event("id-2", "slack"));
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        await function.TerminateAsync();
        proceed.SetResult();

        Assert.Equal("late", (await api.ReportAsync()).Body);
        Assert.Equal(0, await function.ExitCodeAsync());
        Assert.False(api.HasReports);
    }

    [Fact]
    public async Task An_init_error_is_reported_logged_and_ends_it_with_exit_code_1()
    {
        await using var api = new LoopbackRuntimeApi();
        await using var function = new FunctionProcess(api.Endpoint, "no-such-function");

        var report = await api.ReportAsync();
        Assert.Equal("/2018-06-01/runtime/init/error", report.Path);
        Assert.Contains("_HANDLER names no function: no-such-function", report.Body);
        Assert.Equal(1, await function.ExitCodeAsync());
        Assert.Contains("_HANDLER names no function: no-such-function", function.Output);
        Assert.Equal("", function.Errors.Trim());       // once is enough
    }

    // One authority in the file, another in the folder.
    [Theory]
    [InlineData(false, "1")]
    [InlineData(true, "2")]
    public async Task The_folder_of_authorities_is_read_only_where_somebody_names_it(bool isNamed, string count)
    {
        var folder = Directory.CreateTempSubdirectory("authorities-");
        try
        {
            var file = Path.Combine(folder.FullName, "bundle.pem");
            await File.WriteAllTextAsync(file, Authority("CN=One"), TestContext.Current.CancellationToken);
            var others = folder.CreateSubdirectory("certs").FullName;
            await File.WriteAllTextAsync(Path.Combine(others, "other.pem"), Authority("CN=Other"), TestContext.Current.CancellationToken);
            await using var api = new LoopbackRuntimeApi();
            await using var function = new FunctionProcess(api.Endpoint, "authorities", ("SSL_CERT_FILE", file), ("SSL_CERT_DIR", isNamed ? others : null));
            api.Send(new Event("id-1", ""));
            Assert.Equal(count, (await api.ReportAsync()).Body);
        }
        finally { folder.Delete(recursive: true); }

        static string Authority(string name)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var now = TimeProvider.System.GetUtcNow();
            using var certificate = new CertificateRequest(name, key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            return certificate.ExportCertificatePem();
        }
    }

    [Theory]
    [InlineData("/response", 413)]
    [InlineData("/next", 403)]
    public async Task What_ends_a_function_is_told_on_stderr(string where, int status)
    {
        await using var api = new LoopbackRuntimeApi { Status = path => path.EndsWith(where) ? status : null };
        await using var function = new FunctionProcess(api.Endpoint, "echo");
        api.Send(new Event("id-1", "one"));

        Assert.Equal(1, await function.ExitCodeAsync());
        Assert.Contains($"{where} with {status}", function.Errors);
    }

    [Theory]
    [InlineData("512", "", 512)]
    [InlineData("512", "true", null)]
    [InlineData("", "", null)]
    public async Task The_memory_size_limits_the_heap(string size, string disabled, int? megabytes)
    {
        await using var api = new LoopbackRuntimeApi();
        await using var function = new FunctionProcess(
            api.Endpoint, "memory", ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", size), ("AWS_LAMBDA_DOTNET_DISABLE_MEMORY_LIMIT_CHECK", disabled));
        api.Send(new Event("id-1", "{}"));

        var limit = long.Parse((await api.ReportAsync()).Body, System.Globalization.CultureInfo.InvariantCulture) >> 20;
        Assert.Equal(megabytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20, limit);
    }

    [Fact]
    public async Task Without_a_runtime_api_behind_the_address_it_ends_with_exit_code_1()
    {
        await using var function = new FunctionProcess($"127.0.0.1:{LoopbackServer.FreePort()}", "echo");

        Assert.Equal(1, await function.ExitCodeAsync());
        Assert.Contains("Connection refused", function.Errors);
    }

    [Fact]
    public async Task The_secrets_client_is_moved_and_signed_by_the_environment_alone()
    {
        var authorization = new TaskCompletionSource<string?>();
        await using var secrets = new LoopbackServer((http, _) =>
        {
            authorization.TrySetResult(http.Request.Headers["Authorization"]);
            http.Response.Close(Encoding.UTF8.GetBytes("""{"ARN":"arn","Name":"slack","VersionId":"v1","SecretString":"from afar"}"""), willBlock: false);
            return Task.CompletedTask;
        });
        await using var api = new LoopbackRuntimeApi();
        await using var function = new FunctionProcess(api.Endpoint, "secret", Aws(secrets));
        api.Send(new Event("id-1", "slack"));

        Assert.Equal("from afar", (await api.ReportAsync()).Body);
        Assert.Matches(@"^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/eu-west-1/secretsmanager/aws4_request, ", await authorization.Task);
    }

    private static (string, string?)[] Aws(LoopbackServer secrets) =>
    [
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", $"http://{secrets.Endpoint}"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ];
}

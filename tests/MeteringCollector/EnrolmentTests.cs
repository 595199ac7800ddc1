using System.Net;
using System.Text;
using ControlPlane.Aws;
using ControlPlane.MeteringCollector.Enrolment;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>Who gets a key registered by itself, and who does not, over real tables and an STS that verifies signatures.</summary>
public sealed class EnrolmentTests(LocalCloud cloud) : IAsyncLifetime
{
    private const string Instance = EnrolmentFixture.Instance, Account = EnrolmentFixture.Account, Role = EnrolmentFixture.Role;

    private static readonly TenantId Tenant = EnrolmentFixture.Tenant;

    private EnrolmentFixture _desk = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _desk = await EnrolmentFixture.OpenAsync(cloud);

    public ValueTask DisposeAsync()
    {
        _desk.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task By_a_code_a_machine_enrols_once_and_asked_again_it_is_so_already()
    {
        var (code, sidecar) = (await _desk.InviteAsync(), new SidecarSigner());

        var answer = await _desk.SendAsync(sidecar, ("x-dp-invite", code));
        Assert.Equal((201, sidecar.KeyId.ToString()), (answer.Status, answer.Body.GetProperty("key_id").GetString()));
        Assert.False(answer.IsRepeat);
        var key = await _desk.Registry.FindKeyAsync(sidecar.KeyId, Cancel);
        Assert.Equal((Tenant, Instance), (key!.Tenant, key.Instance));

        var again = await _desk.SendAsync(sidecar, ("x-dp-invite", code));
        Assert.Equal((201, true), (again.Status, again.IsRepeat));
        await IsRefusedAsync(new SidecarSigner(), 403, "invite-invalid", instance: "i-other", header: ("x-dp-invite", code));
    }

    [Theory]
    [InlineData("for another instance", 403, "invite-invalid")]
    [InlineData("of another tenant", 403, "invite-invalid")]
    [InlineData("too old", 403, "invite-invalid")]
    [InlineData("never made", 403, "invite-invalid")]
    [InlineData("not of its form", 403, "invite-invalid")]
    public async Task A_code_that_is_not_good_for_this_machine_registers_nothing(string code, int status, string problem)
    {
        var other = TenantId.Parse("tenant-7");
        await _desk.RegisterAsync(other, null);
        var text = code switch
        {
            "for another instance" => await _desk.InviteAsync(instance: "i-other"),
            "of another tenant" => await _desk.InviteAsync(tenant: other),
            "too old" => await _desk.InviteAsync(lives: TimeSpan.Zero),
            "never made" => OneTimeCode.Make().Text,
            _ => "code",
        };
        await IsRefusedAsync(new SidecarSigner(), status, problem, header: ("x-dp-invite", text));
    }

    [Fact]
    public async Task By_its_identity_in_AWS_an_engine_host_enrols_and_only_STS_is_asked()
    {
        var sidecar = new SidecarSigner();
        var answer = await _desk.SendAsync(sidecar, ("x-dp-aws-identity", _desk.Identity(sidecar, _desk.Sts.Issue(Account, Role, Instance), region: "eu-central-1")));

        Assert.Equal((201, sidecar.KeyId.ToString()), (answer.Status, answer.Body.GetProperty("key_id").GetString()));
        Assert.NotNull(await _desk.Registry.FindKeyAsync(sidecar.KeyId, Cancel));
        Assert.Equal(["sts.eu-central-1.amazonaws.com"], _desk.Sts.Asked);
    }

    [Theory]
    [InlineData("333333333333", Role, Instance)]
    [InlineData(Account, "administrator", Instance)]
    [InlineData(Account, Role, "i-0fffffffffffffff0")]
    [InlineData(Account, Role, Instance + "0")]
    [InlineData(Account, "x/" + Role, Instance)]
    public async Task Whoever_AWS_says_is_another_is_refused(string account, string role, string session)
    {
        var sidecar = new SidecarSigner();
        await IsRefusedAsync(sidecar, 403, "identity-refused", header: ("x-dp-aws-identity", _desk.Identity(sidecar, _desk.Sts.Issue(account, role, session))));
        Assert.Single(_desk.Sts.Asked);
    }

    [Fact]
    public async Task A_forged_signature_is_refused()
    {
        var sidecar = new SidecarSigner();
        var forged = _desk.Sts.Issue(Account, Role, Instance) with { Secret = "a guess" };
        await IsRefusedAsync(sidecar, 403, "identity-refused", header: ("x-dp-aws-identity", _desk.Identity(sidecar, forged)));
    }

    [Fact]
    public async Task A_tenant_whose_account_is_not_known_has_no_machines_in_AWS()
    {
        var other = TenantId.Parse("tenant-7");
        await _desk.RegisterAsync(other, null);
        var sidecar = new SidecarSigner();
        var identity = _desk.Identity(sidecar, _desk.Sts.Issue(Account, Role, Instance), tenant: other);
        await IsRefusedAsync(sidecar, 403, "identity-refused", tenant: other, header: ("x-dp-aws-identity", identity));
        Assert.Empty(_desk.Sts.Asked);
    }

    /// <summary>What was signed for somebody else, for another purpose, or to be sent elsewhere: AWS is not even asked.</summary>
    [Theory]
    [InlineData("another key"), InlineData("another tenant"), InlineData("another instance"), InlineData("challenge not signed"), InlineData("no challenge")]
    [InlineData("older than five minutes"), InlineData("of tomorrow")]
    [InlineData("global host"), InlineData("host of somebody"), InlineData("host with a port"), InlineData("host with a suffix"), InlineData("region with a path")]
    [InlineData("region with a name"), InlineData("two hosts"), InlineData("another action"), InlineData("another path"), InlineData("another method")]
    [InlineData("another service"), InlineData("a header more"), InlineData("a folded line"), InlineData("a header twice"), InlineData("bytes above ASCII")]
    [InlineData("a body more"), InlineData("not base64"), InlineData("too long"), InlineData("nothing")]
    public async Task What_was_not_signed_for_this_enrolment_is_refused(string case_)
    {
        var (sidecar, credentials) = (new SidecarSigner(), _desk.Sts.Issue(Account, Role, Instance));
        var (now, challenge) = (_desk.Clock.Now, EnrolmentFixture.ChallengeOf(sidecar, Tenant, Instance));
        string Changed(string there, string instead) => credentials.SignedRequest(now, challenge) is var text && text.Contains(there, StringComparison.Ordinal)
            ? text.Replace(there, instead, StringComparison.Ordinal)
            : throw new InvalidOperationException(there);
        var request = case_ switch
        {
            "another key" => credentials.SignedRequest(now, EnrolmentFixture.ChallengeOf(new SidecarSigner(), Tenant, Instance)),
            "another tenant" => credentials.SignedRequest(now, EnrolmentFixture.ChallengeOf(sidecar, TenantId.Parse("tenant-7"), Instance)),
            "another instance" => credentials.SignedRequest(now, EnrolmentFixture.ChallengeOf(sidecar, Tenant, "i-other")),
            "challenge not signed" => credentials.SignedRequest(now, challenge, signsChallenge: false),
            "no challenge" => Changed($"x-cp-challenge: {challenge}\r\n", ""),
            "older than five minutes" => credentials.SignedRequest(now - TimeSpan.FromSeconds(301), challenge),
            "of tomorrow" => credentials.SignedRequest(now + TimeSpan.FromSeconds(301), challenge),
            "global host" => credentials.SignedRequest(now, challenge, host: "sts.amazonaws.com"),
            "host of somebody" => credentials.SignedRequest(now, challenge, host: "sts.example.com"),
            "host with a port" => credentials.SignedRequest(now, challenge, host: "sts.us-east-1.amazonaws.com:8443"),
            "host with a suffix" => credentials.SignedRequest(now, challenge, host: "sts.us-east-1.amazonaws.com.example.com"),
            "region with a path" => credentials.SignedRequest(now, challenge, region: "us-east-1.example.com"),
            "region with a name" => credentials.SignedRequest(now, challenge, region: "example.com#"),
            "two hosts" => Changed("host: sts", "host: example.com\r\nhost: sts"),
            "another action" => credentials.SignedRequest(now, challenge, body: "Action=AssumeRole&Version=2011-06-15"),
            "another path" => Changed("POST / HTTP", "POST /?Action=GetSessionToken HTTP"),
            "another method" => Changed("POST / HTTP", "GET / HTTP"),
            "another service" => Changed("/sts/aws4_request", "/iam/aws4_request"),
            "a header more" => Changed("host: ", "x-amz-target: y\r\nhost: "),
            "a folded line" => Changed("host: ", "accept: a\r\n b\r\nhost: "),
            "a header twice" => Changed("x-amz-date: ", "accept: a\r\nAccept: b\r\nx-amz-date: "),
            "bytes above ASCII" => Changed("host: ", "accept: é\r\nhost: "),
            "a body more" => credentials.SignedRequest(now, challenge) + "&RoleArn=x",
            "too long" => Changed("host: ", $"accept: {new string('a', SignedCallerIdentity.Longest)}\r\nhost: "),
            _ => "",
        };
        var header = case_ == "not base64" ? "%%%" : Convert.ToBase64String(Encoding.UTF8.GetBytes(request));

        await IsRefusedAsync(sidecar, 403, "identity-invalid", header: ("x-dp-aws-identity", header));
        Assert.Empty(_desk.Sts.Asked);
    }

    [Theory]
    [InlineData("no proof", 401, "proof-missing")]
    [InlineData("both proofs", 401, "proof-missing")]
    [InlineData("signed by another key", 401, "signature-invalid")]
    [InlineData("signed as a heartbeat", 401, "signature-invalid")]
    [InlineData("another body", 401, "signature-invalid")]
    [InlineData("stale", 401, "timestamp-out-of-window")]
    [InlineData("from the future", 401, "timestamp-out-of-window")]
    [InlineData("id of another instance", 422, "id-mismatch")]
    [InlineData("from another network", 403, "source-network-mismatch")]
    [InlineData("unknown tenant", 403, "tenant-unknown")]
    [InlineData("weak key", 400, "malformed")]
    [InlineData("no JSON", 400, "malformed")]
    [InlineData("too large", 413, "too-large")]
    [InlineData("a form", 415, "unsupported-media-type")]
    public async Task A_request_that_is_amiss_uses_no_code_up(string case_, int status, string problem)
    {
        var (code, sidecar) = (await _desk.InviteAsync(), new SidecarSigner());
        var now = case_ switch { "stale" => _desk.Clock.Now.AddSeconds(-301), "from the future" => _desk.Clock.Now.AddSeconds(301), _ => _desk.Clock.Now };
        var tenant = case_ == "unknown tenant" ? TenantId.Parse("tenant-100") : Tenant;
        var publicKey = case_ switch { "signed by another key" => new SidecarSigner().PublicKey, "weak key" => new byte[32], _ => sidecar.PublicKey };
        var body = case_ switch { "no JSON" => "key", "too large" => new string(' ', EnrolSidecar.LargestBody + 1), _ => EnrolmentFixture.BodyOf(tenant, Instance, publicKey) };
        var id = $"{(case_ == "signed as a heartbeat" ? "hb" : "enrol")}_{(case_ == "id of another instance" ? "i-other" : Instance)}_{now.ToUnixTimeSeconds()}";
        var source = case_ == "from another network" ? "10.143.128.10" : $"{tenant.Network.BaseAddress}"[..^3] + "128.10";
        var request = sidecar.Request(id, Encoding.UTF8.GetBytes(body), now.ToUnixTimeSeconds(), source);
        if (case_ != "no proof")
            EnrolmentFixture.Add(request, "x-dp-invite", code);
        if (case_ == "both proofs")
            EnrolmentFixture.Add(request, "x-dp-aws-identity", _desk.Identity(sidecar, _desk.Sts.Issue(Account, Role, Instance)));
        if (case_ == "another body")
            request.Body = Convert.ToBase64String(Encoding.UTF8.GetBytes(EnrolmentFixture.BodyOf(Tenant, "i-other", publicKey)));
        if (case_ == "a form")
            EnrolmentFixture.Add(request, "Content-Type", "application/x-www-form-urlencoded");

        var answer = await _desk.AskAsync(request);
        Assert.Equal((status, problem), (answer.Status, answer.Code));
        Assert.Null(await _desk.Registry.FindKeyAsync(sidecar.KeyId, Cancel));
        Assert.Equal(201, (await _desk.SendAsync(new SidecarSigner(), ("x-dp-invite", code))).Status);
    }

    [Fact]
    public async Task While_another_key_speaks_for_the_instance_there_is_no_second_and_once_it_is_revoked_there_is()
    {
        var (first, second) = (new SidecarSigner(), new SidecarSigner());
        Assert.Equal(201, (await _desk.SendAsync(first, ("x-dp-invite", await _desk.InviteAsync()))).Status);
        var code = await _desk.InviteAsync();
        await IsRefusedAsync(second, 409, "another-key", header: ("x-dp-invite", code));

        await new TenantAdministration(_desk.Tables.Client, _desk.Tables.Tenants, _desk.Tables.Auditor, _desk.Clock)
            .RevokeAsync(Tenant, first.KeyId, Cancel);
        var again = await _desk.SendAsync(first, ("x-dp-invite", await _desk.InviteAsync()));
        Assert.Equal((403, "key-refused"), (again.Status, again.Code));
        Assert.Equal(201, (await _desk.SendAsync(second, ("x-dp-invite", code))).Status);
    }

    [Fact]
    public async Task Ten_tries_a_minute_are_heard_of_a_tenant()
    {
        for (var at = 0; at < EnrolmentTries.Most; at++)
            await IsRefusedAsync(new SidecarSigner(), 403, "invite-invalid", header: ("x-dp-invite", OneTimeCode.Make().Text));
        var (code, sidecar) = (await _desk.InviteAsync(), new SidecarSigner());
        var answer = await _desk.SendAsync(sidecar, ("x-dp-invite", code));
        Assert.Equal((429, "30"), (answer.Status, answer.Headers["Retry-After"]));
        _desk.Clock.Now = _desk.Clock.Now.AddSeconds(30);
        Assert.Equal(201, (await _desk.SendAsync(sidecar, ("x-dp-invite", code))).Status);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError), InlineData(HttpStatusCode.TooManyRequests)]
    public async Task While_STS_has_trouble_the_machine_is_told_to_come_again(HttpStatusCode trouble)
    {
        var sidecar = new SidecarSigner();
        _desk.Sts.Trouble = trouble;
        await IsRefusedAsync(sidecar, 503, "unavailable", header: ("x-dp-aws-identity", _desk.Identity(sidecar, _desk.Sts.Issue(Account, Role, Instance))));
    }

    [Fact]
    public async Task What_is_secret_is_not_logged()
    {
        var (code, sidecar) = (await _desk.InviteAsync(), new SidecarSigner());
        var credentials = _desk.Sts.Issue(Account, "other", Instance);
        await _desk.SendAsync(sidecar, ("x-dp-aws-identity", _desk.Identity(sidecar, credentials)));
        await _desk.SendAsync(sidecar, ("x-dp-invite", code));
        var logged = _desk.Logged;
        Assert.Contains(sidecar.KeyId.ToString(), logged, StringComparison.Ordinal);
        Assert.DoesNotContain(code, logged, StringComparison.Ordinal);
        Assert.DoesNotContain(credentials.Token[..40], logged, StringComparison.Ordinal);
    }

    /// <summary>The sidecar that tenants run, as a process, on a machine with a metadata service.</summary>
    [Theory]
    [InlineData("code"), InlineData("aws"), InlineData("another role")]
    public async Task The_sidecar_enrols_itself(string by)
    {
        _desk.Clock.Now = TimeProvider.System.GetUtcNow();
        var folder = Directory.CreateTempSubdirectory("enrol-");
        var credentials = _desk.Sts.Issue(Account, by == "aws" ? Role : "another", Instance);
        await using var metadata = new LoopbackServer((http, cancel) => AnswerAsync(http, (http.Request.HttpMethod, http.Request.Url!.AbsolutePath) switch
        {
            ("PUT", "/latest/api/token") => "a token",
            _ when http.Request.Headers["X-aws-ec2-metadata-token"] != "a token" => null,
            (_, "/latest/meta-data/placement/region") => "us-east-1",
            (_, "/latest/meta-data/iam/security-credentials/") => "engine-host",
            (_, "/latest/meta-data/iam/security-credentials/engine-host") =>
                $$"""{"Code":"Success","AccessKeyId":"{{credentials.AccessKeyId}}","SecretAccessKey":"{{credentials.Secret}}","Token":"{{credentials.Token}}"}""",
            _ => null,
        }, cancel));
        await using var hub = new LoopbackServer(async (http, cancel) =>
        {
            using var body = new MemoryStream();
            await http.Request.InputStream.CopyToAsync(body, cancel);
            var headers = http.Request.Headers.AllKeys.ToDictionary(name => name!, name => http.Request.Headers[name]!);
            var answer = await _desk.AskAsync(SidecarSigner.Post(body.ToArray(), "10.142.128.10", headers));
            http.Response.StatusCode = answer.Status;
            await AnswerAsync(http, answer.Body.GetRawText(), cancel);
        });
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "metering-sidecar.dll"), "--url", $"http://{hub.Endpoint}", "--tenant", $"{Tenant}", "--instance", Instance,
            "--key-file", Path.Combine(folder.FullName, "key.pem"), "--enrol", by == "code" ? await _desk.InviteAsync() : "aws",
        ];

        var (exit, said) = await Script.RunAsync("dotnet", arguments, ("AWS_EC2_METADATA_SERVICE_ENDPOINT", $"http://{metadata.Endpoint}"));

        var keys = await _desk.Registry.KeysOfAsync(Tenant, Cancel);
        folder.Delete(recursive: true);
        if (by == "another role")
        {
            Assert.Equal(1, exit);
            Assert.Contains("not enrolled: 403 identity-refused", said, StringComparison.Ordinal);
            Assert.Empty(keys);
        }
        else
        {
            Assert.True(exit == 0, said);
            Assert.Equal($"enrolled instance={Instance} tenant={Tenant} key={Assert.Single(keys).KeyId}", said.Trim());
        }
    }

    private static async Task AnswerAsync(HttpListenerContext http, string? text, CancellationToken cancel)
    {
        if (text is null)
            http.Response.StatusCode = 404;
        await http.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text ?? ""), cancel);
        http.Response.Close();
    }

    private async Task IsRefusedAsync(
        SidecarSigner sidecar, int status, string problem, (string Name, string Value) header, string instance = Instance, TenantId? tenant = null)
    {
        var answer = await _desk.SendAsync(sidecar, header, instance, tenant);
        Assert.Equal((status, problem), (answer.Status, answer.Code));
        Assert.Null(await _desk.Registry.FindKeyAsync(sidecar.KeyId, Cancel));
    }
}

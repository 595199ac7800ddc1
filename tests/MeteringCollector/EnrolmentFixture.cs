using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Metering;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Enrolment;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>The enrolment function over real tables, with a clock that a test sets, one tenant whose account is known, and STS.</summary>
internal sealed class EnrolmentFixture : IDisposable
{
    public const string Instance = "i-0abc1234def567890", Account = "222222222222", Role = "engine-host";

    public static readonly TenantId Tenant = TenantId.Parse("tenant-43");

    private readonly MemoryStream _log = new();
    private readonly EnrolmentFunction _function;

    private EnrolmentFixture(TestTables tables)
    {
        (Tables, Sts) = (tables, new(() => Clock.Now));
        _function = NewFunction();
    }

    public TestTables Tables { get; }

    public SetClock Clock { get; } = new(new(2026, 11, 26, 12, 0, 30, TimeSpan.Zero));

    public SmallSts Sts { get; }

    public TenantRegistry Registry => new(Tables.Client, Tables.Tenants);

    /// <summary>Every line logged so far.</summary>
    public string Logged => Encoding.UTF8.GetString(_log.ToArray());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private EnrolmentStore Store => new(Tables.Client, Tables.Tenants, Clock);

    public static async Task<EnrolmentFixture> OpenAsync(LocalCloud cloud)
    {
        var desk = new EnrolmentFixture(await cloud.TablesAsync());
        await desk.RegisterAsync(Tenant, new(Account, Role));
        return desk;
    }

    public void Dispose() => Sts.Dispose();

    public Task RegisterAsync(TenantId tenant, AwsIdentity? aws)
    {
        Assert.True(EngineAddress.TryParse($"10.{99 + tenant.Number}.128.10", tenant, allowPublicSubnet: false, out var engine));
        return Registry.SaveAsync(new Tenant(tenant, "A tenant", TenantStatus.Active, engine, AllowPublicSubnet: false, TenantLimits.Default, Aws: aws), Cancel);
    }

    public async Task<string> InviteAsync(TenantId? tenant = null, string? instance = null, TimeSpan? lives = null)
    {
        var code = OneTimeCode.Make();
        InstanceId? named = instance is null ? null : InstanceId.Parse(instance);
        await Store.AddAsync(
            new(code.Hash, tenant ?? Tenant, named, Clock.Now, Clock.Now + (lives ?? EnrolmentInvite.StandardLifetime)), Tables.Auditor, Cancel);
        return code.Text;
    }

    public string Identity(SidecarSigner sidecar, AwsCredentials credentials, string region = "us-east-1", TenantId? tenant = null) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(credentials.SignedRequest(Clock.Now, ChallengeOf(sidecar, tenant ?? Tenant, Instance), region)));

    public static string ChallengeOf(SidecarSigner sidecar, TenantId tenant, string instance) =>
        Base64Url.EncodeToString(SHA256.HashData([.. sidecar.PublicKey, .. Encoding.ASCII.GetBytes($"{tenant}{instance}")]));

    public Task<Answer> SendAsync(SidecarSigner sidecar, (string Name, string Value) header, string instance = Instance, TenantId? tenant = null)
    {
        var (of, seconds) = (tenant ?? Tenant, Clock.Now.ToUnixTimeSeconds());
        var request = sidecar.Request(
            string.Create(CultureInfo.InvariantCulture, $"enrol_{instance}_{seconds}"), Encoding.UTF8.GetBytes(BodyOf(of, instance, sidecar.PublicKey)), seconds,
            $"10.{99 + of.Number}.128.10");
        Add(request, header.Name, header.Value);
        return AskAsync(request);
    }

    public async Task<Answer> AskAsync(APIGatewayProxyRequest request) =>
        new(await _function.AnswerAsync(request, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(10) }));

    public static void Add(APIGatewayProxyRequest request, string name, string value) =>
        (request.Headers![name], request.MultiValueHeaders![name]) = (value, [value]);

    public static string BodyOf(TenantId tenant, string instance, byte[] publicKey) =>
        $$"""{"schema":"enrol.v1","tenant_id":"{{tenant}}","instance_id":"{{instance}}","public_key":"{{Convert.ToBase64String(publicKey)}}"}""";

    private EnrolmentFunction NewFunction()
    {
        var events = new MeteringEvents(new JsonLog(_log, Clock), Clock);
        var dynamo = Tables.ClientOf("EnrolmentFunction");
        return new(
            new EnrolSidecar(
                new(dynamo, Tables.Tenants, Clock), new(dynamo, Tables.RateLimits, Clock), new(dynamo, Tables.Tenants),
                new(CallerIdentities.NewClient(Sts)), new(SourceNetworkCheck.Enforce, events), Clock),
            new("https://api.example.com"), events, Clock);
    }
}

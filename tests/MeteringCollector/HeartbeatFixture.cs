using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Metering;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>The heartbeat function over real tables, with a clock that a test sets and one tenant whose sidecar's key is registered.</summary>
internal sealed class HeartbeatFixture
{
    public static readonly TenantId Tenant = TenantId.Parse("tenant-43");

    private readonly MemoryStream _log = new();

    private HeartbeatFixture(TestTables tables) => Tables = tables;

    public TestTables Tables { get; }
    public SetClock Clock { get; } = new(DateTimeOffset.FromUnixTimeSeconds(Sample.Started + 60));
    public SidecarSigner Sidecar { get; } = new();
    public SourceNetworkCheck SourceNetworkCheck { get; init; } = SourceNetworkCheck.Enforce;
    public HeartbeatsFunction Function { get; private set; } = null!;
    public TenantRegistry Registry => new(Tables.Client, Tables.Tenants);
    public InstanceStore Instances => new(Tables.Client, Tables.Instances, Clock);
    public MeteringStore Records => new(Tables.Client, Tables.Metering, Clock);

    /// <summary>Every line logged so far.</summary>
    public string Logged => Encoding.UTF8.GetString(_log.ToArray());

    /// <param name="keyLives">How long the sidecar's key does; for ever when left out.</param>
    public static async Task<HeartbeatFixture> OpenAsync(LocalCloud cloud, SourceNetworkCheck check = SourceNetworkCheck.Enforce, TimeSpan? keyLives = null)
    {
        var desk = new HeartbeatFixture(await cloud.TablesAsync()) { SourceNetworkCheck = check };
        await desk.RegisterAsync(Tenant, TenantStatus.Active);
        await desk.Registry.TryAddAsync(desk.Sidecar.Registration() with { NotAfter = desk.Clock.Now + keyLives }, TestContext.Current.CancellationToken);
        desk.Restart();
        return desk;
    }

    public Task RegisterAsync(TenantId tenant, TenantStatus status)
    {
        Assert.True(EngineAddress.TryParse($"10.{99 + tenant.Number}.128.10", tenant, allowPublicSubnet: false, out var engine));
        return Registry.SaveAsync(
            new Tenant(tenant, "A tenant", status, engine, AllowPublicSubnet: false, TenantLimits.Default), TestContext.Current.CancellationToken);
    }

    /// <summary>A new process: nothing cached, and calls to the tables as this seam lets them through.</summary>
    public void Restart(FaultSeam? seam = null) => Function = NewFunction(Tables.ClientOf("HeartbeatsFunction", seam));

    public HeartbeatsFunction NewFunction(IAmazonDynamoDB dynamo)
    {
        var events = new MeteringEvents(new JsonLog(_log, Clock), Clock);
        return new(
            new RecordHeartbeat(
                new SidecarKeys(new(dynamo, Tables.Tenants), Clock), new(
                    dynamo, Tables.Instances, Clock), new(dynamo, Tables.Metering, Clock), new(SourceNetworkCheck, events), Clock),
            new("https://api.example.com"), events, Clock);
    }

    public Task<Answer> SendAsync(Sample sample) => SendAsync(Sidecar.Request(sample, Clock.Now));

    public async Task<Answer> SendAsync(APIGatewayProxyRequest request, HeartbeatsFunction? function = null) =>
        new(await (function ?? Function).AnswerAsync(request, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(10) }));

    public async Task<InstanceState?> StateAsync(string instance = "i-0abc1234def567890") =>
        (await Instances.OfTenantAsync(Tenant, new(2026, 1), TestContext.Current.CancellationToken))
            .Instances.SingleOrDefault(state => state.Instance.ToString() == instance);

    public async Task<ComputeTime> UsageAsync(int year, int month) =>
        (await Instances.OfTenantAsync(Tenant, new Month(year, month), TestContext.Current.CancellationToken)).Usage;

    public async Task<List<MeteringRecord>> RecordsAsync()
    {
        var records = new List<MeteringRecord>();
        await foreach (var record in Records.SinceAsync(Tenant, DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken))
            records.Add(record);
        return records;
    }
}

/// <summary>What a REST endpoint answered.</summary>
internal sealed class Answer(APIGatewayProxyResponse response)
{
    public int Status => response.StatusCode;
    public IDictionary<string, string> Headers => response.Headers!;
    public JsonElement Body { get; } = JsonDocument.Parse(response.Body!).RootElement;
    public string? Code => Body.TryGetProperty("code", out var code) ? code.GetString() : null;
    public bool IsRepeat => Body.GetProperty("duplicate").GetBoolean();

    public override string ToString() => $"{Status} {response.Body}";
}

using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Flows.Simulated;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows;

/// <summary>The published signatures, made by the signers that the flows use and taken by the functions, each at the second it was made for.</summary>
public sealed class KnownAnswerTests(LocalCloud cloud)
{
    private const string Origin = "cloudfront-says-hello";

    private static readonly TestLambdaContext Context = new() { RemainingTime = TimeSpan.FromSeconds(10) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1531420618, 200)]
    [InlineData(1531420918, 200)]
    [InlineData(1531420919, 401)]
    [InlineData(1531420318, 200)]
    [InlineData(1531420317, 401)]
    public async Task Slacks_own_example_is_taken_for_five_minutes_either_way(long now, int status)
    {
        using var vectors = Vectors.Read("slack_signature.json");
        var body = Encoding.ASCII.GetBytes(vectors.RootElement.GetProperty("cases")[0].GetProperty("body").GetString()!);
        const string Signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        Assert.Equal(Signature, SlackRequest.Signature(DemoData.SigningSecret, "1531420618", body));

        using var functions = await FunctionsAtAsync(now);
        Assert.Equal(status, (await functions.Commands.RouteAsync(Post(body, Signature), Context)).StatusCode);
        body[^1] ^= 1;
        Assert.Equal(401, (await functions.Commands.RouteAsync(Post(body, Signature), Context)).StatusCode);
    }

    [Fact]
    public async Task The_example_of_a_heartbeat_is_taken_as_it_is_published()
    {
        var sidecar = SidecarSigner.OfRfc8032();
        var (id, body) = (new Sample().Id, Encoding.UTF8.GetBytes(new Sample().ToString()));
        Assert.Equal("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", sidecar.KeyId.ToString());
        Assert.Equal(267, body.Length);
        Assert.Equal(
            "v1a,WgC9IOoxak8DlDVM5Sw1fnLHjmKQqLzz3/VujVbUqq9ytgxfNAiydyG2BwojOS7tg8bPuJhp0r3dlJYNGVfHBQ==",
            sidecar.SignatureText(id, 1767225660, body));

        using var functions = await FunctionsAtAsync(1767225660);
        var answer = await functions.Heartbeats.AnswerAsync(sidecar.Request(id, body, 1767225660), Context);
        Assert.True(answer.StatusCode == 200, answer.Body);
        body[^2] ^= 1;
        var forged = sidecar.Request(id, body, 1767225660);
        forged.MultiValueHeaders!["webhook-signature"] = ["v1a,WgC9IOoxak8DlDVM5Sw1fnLHjmKQqLzz3/VujVbUqq9ytgxfNAiydyG2BwojOS7tg8bPuJhp0r3dlJYNGVfHBQ=="];
        Assert.Equal(401, (await functions.Heartbeats.AnswerAsync(forged, Context)).StatusCode);
    }

    private async Task<Functions> FunctionsAtAsync(long second)
    {
        var clock = new SetClock(DateTimeOffset.FromUnixTimeSeconds(second));
        var tables = await cloud.TablesAsync();
        var registry = new TenantRegistry(tables.Client, tables.Tenants);
        await registry.SaveAsync(
            new Tenant(DemoData.Tenant, "Acme", TenantStatus.Active, DemoData.Engine, AllowPublicSubnet: true, TenantLimits.Default), Cancel);
        await registry.TryAddAsync(SidecarSigner.OfRfc8032().Registration(), Cancel);

        var secret = new KeptSecrets();
        secret.Put(
            "v1",
            $$"""{"signing_secret":"{{DemoData.SigningSecret}}","response_url_key":"{{Convert.ToBase64String(new byte[32])}}","origin_verify":"{{Origin}}"}""",
            clock.Now.AddDays(-30));
        return new(
            new(tables, secret, KeptSecrets.WithRoot("v1", clock.Now.AddDays(-30)), new SocketsHttpHandler(), ConnectRoutes.None, Stream.Null, clock),
            tables.Client, (await cloud.QueuesAsync()).Client);
    }

    private static APIGatewayHttpApiV2ProxyRequest Post(byte[] body, string signature) => new()
    {
        RawPath = "/slack/commands",
        RawQueryString = "",
        Headers = new Dictionary<string, string>
        {
            ["content-type"] = "application/x-www-form-urlencoded",
            ["x-slack-request-timestamp"] = "1531420618",
            ["x-slack-signature"] = signature,
            ["x-origin-verify"] = Origin,
        },
        Body = Convert.ToBase64String(body),
        IsBase64Encoded = true,
        RequestContext = new() { Http = new() { Method = "POST", Path = "/slack/commands", SourceIp = "198.51.100.7" }, RequestId = "request" },
    };
}

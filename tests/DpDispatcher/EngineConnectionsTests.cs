using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Tenants;
using CsCheck;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>No connection and no address of a request leads outside a tenant's network.</summary>
public sealed class EngineConnectionsTests
{
    private static readonly Gen<TenantId> AnyTenant = Gen.Int[1, TenantId.Highest].Select(n => TenantId.Parse($"tenant-{n}"));

    /// <summary>The last check, on what the HTTP stack asks to dial: even a request built for elsewhere does not get there.</summary>
    [Theory]
    [InlineData("http://10.101.128.10:5678/"), InlineData("http://10.100.128.10:22/"), InlineData("http://10.100.128.10/"),
        InlineData("http://169.254.169.254:5678/")]
    [InlineData("http://localhost:5678/"), InlineData("http://[::ffff:10.100.128.10]:5678/"), InlineData("http://10.100.1.10:5678/"),
        InlineData("https://10.100.128.10/")]
    public async Task The_connection_refuses_to_dial_outside(string url)
    {
        var cancel = TestContext.Current.CancellationToken;
        var tenant = TenantId.Parse("tenant-1");
        Assert.True(EngineAddress.TryParse("10.100.128.10", tenant, allowPublicSubnet: false, out var address));
        using var http = new HttpMessageInvoker(
            new SocketsHttpHandler { UseProxy = false, ConnectCallback = new EngineConnections(ConnectRoutes.None, TimeProvider.System).ConnectAsync });
        using var request = new HttpRequestMessage(HttpMethod.Post, url);
        request.Options.Set(EngineConnections.EngineOf, new(tenant, address, AllowPublicSubnet: false));
        var refused = await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.SendAsync(request, cancel));
        Assert.IsType<AddressRefusedException>(refused.InnerException);

        using var unmarked = new HttpRequestMessage(HttpMethod.Post, "http://10.100.128.10:5678/");
        Assert.IsType<AddressRefusedException>((await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.SendAsync(unmarked, cancel))).InnerException);
    }

    [Fact]
    public void A_request_is_built_from_parts_that_cannot_spell_another_address() =>
        Gen.Select(AnyTenant, Gen.String[Gen.Char["abzAZ09_-/.\\?#@:%\r\n \0ä"], 1, 64]).Sample((tenant, path) =>
        {
            if (!WorkflowName.TryParse(path, out var name))
                return;
            Assert.True(EngineAddress.TryParse($"10.{99 + tenant.Number}.128.10", tenant, allowPublicSubnet: false, out var address));
            using var client = new DataPlaneClient(DispatchLimits.Default, ConnectRoutes.None, TimeProvider.System);
            using var body = new ByteArrayContent([]);
            var order = new DispatchOrder(ExecutionId.Of("T1", "1"), tenant, WebhookPath.Of(name), [], "t", default);
            using var request = DataPlaneClient.RequestFor(new(tenant, address, AllowPublicSubnet: false), order, body);
            Assert.Equal($"http://10.{99 + tenant.Number}.128.10:5678/webhook/{path}", request.RequestUri!.AbsoluteUri);
        }, iter: 2_000);
}

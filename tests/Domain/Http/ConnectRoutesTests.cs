using System.Net;
using ControlPlane.Http;

namespace ControlPlane.Tests.Domain.Http;

/// <summary>Where what is dialled really lies.</summary>
public sealed class ConnectRoutesTests
{
    private static readonly DnsEndPoint Engine = new("10.142.1.10", 5678);

    [Fact]
    public void Without_routes_an_address_is_dialled_as_it_is_written() => Assert.Same(Engine, ConnectRoutes.None.Of(Engine));

    [Fact]
    public void A_route_leads_to_this_machine() =>
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 41000), ConnectRoutes.Parse("10.142.1.10:5678=127.0.0.1:41000").Of(Engine));

    [Theory]
    [InlineData("10.106.128.10", 5678), InlineData("10.142.1.10", 5679), InlineData("hooks.slack.com", 443)]
    public void Beside_the_routes_nothing_is_dialled(string host, int port)
    {
        var routes = ConnectRoutes.Parse("10.142.1.10:5678=127.0.0.1:41000");

        var refused = Assert.Throws<NotRoutedException>(() => routes.Of(new(host, port)));

        Assert.Contains($"{host}:{port}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--engine", refused.Message, StringComparison.Ordinal);
    }
}

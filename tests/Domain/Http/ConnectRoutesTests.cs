using System.Net;
using ControlPlane.Configuration;
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

    [Fact]
    public void What_is_routed_to_itself_is_dialled_as_it_is_written_and_nothing_else_outside()
    {
        var routes = ConnectRoutes.Parse("slack.com:443=slack.com:443");
        Assert.Equal(new DnsEndPoint("slack.com", 443), routes.Of(new("slack.com", 443)));
        Assert.Throws<NotRoutedException>(() => routes.Of(new("hooks.slack.com", 443)));
        Assert.Throws<SettingException>(() => ConnectRoutes.Parse("slack.com:443=slack.test:443"));
        Assert.Throws<SettingException>(() => ConnectRoutes.Parse("slack.com:443=slack.com:80"));
    }

    [Theory]
    [InlineData("10.106.128.10", 5678), InlineData("10.142.1.10", 5679), InlineData("hooks.slack.com", 443)]
    public void Beside_the_routes_nothing_is_dialled(string host, int port)
    {
        var routes = ConnectRoutes.Parse("10.142.1.10:5678=127.0.0.1:41000");

        Assert.Contains($"{host}:{port}", Assert.Throws<NotRoutedException>(() => routes.Of(new(host, port))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_refused_of_a_tenants_network_names_the_option_that_leads_there() =>
        Assert.Contains("--engine tenant-7=127.0.0.1:5678", new NotRoutedException(new("10.106.128.10", 5678)).Message, StringComparison.Ordinal);

    [Fact]
    public void Routes_in_a_file_come_and_go_and_none_in_it_leads_nowhere()
    {
        var file = Path.GetTempFileName();
        try
        {
            var routes = ConnectRoutes.Parse($"@{file}");
            Assert.Throws<NotRoutedException>(() => routes.Of(Engine));
            File.WriteAllText(file, "10.142.1.10:5678=127.0.0.1:41000");
            Assert.Equal(new IPEndPoint(IPAddress.Loopback, 41000), routes.Of(Engine));
            File.WriteAllText(file, "");
            Assert.Throws<NotRoutedException>(() => routes.Of(Engine));
        }
        finally { File.Delete(file); }
    }
}

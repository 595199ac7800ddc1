using System.Net;
using ControlPlane.Http;
using ControlPlane.Local.Peering;

namespace ControlPlane.Tests.Local;

public sealed class RoutingTableTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly RoutingTable _routing;

    public RoutingTableTests() => _routing = new(IPAddress.Parse("10.142.1.10"), _file);

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("127.0.0.1", "10.142.1.10")]
    [InlineData("127.142.1.11", "10.142.1.11")]
    [InlineData("127.101.128.4", "10.101.128.4")]
    public void A_loopback_caller_stands_for_an_address_of_the_peered_network(string caller, string source) =>
        Assert.Equal(source, _routing.SourceOf(IPAddress.Parse(caller)).ToString());

    [Fact]
    public void A_network_address_and_its_stand_in_are_each_others_opposite()
    {
        var address = IPAddress.Parse("10.200.3.4");
        Assert.Equal(address, _routing.SourceOf(RoutingTable.StandInFor(address)));
    }

    [Fact]
    public void The_functions_read_the_routes_as_they_are_written_here()
    {
        _routing.Add("10.142.1.10:5678", 41000);
        _routing.Add("hooks.slack.com:443", 41001);
        var routes = ConnectRoutes.Parse(_routing.Setting);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 41000), routes.Of(new("10.142.1.10", 5678)));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 41001), routes.Of(new("hooks.slack.com", 443)));

        _routing.Remove("10.142.1.10:5678");
        Assert.Throws<NotRoutedException>(() => routes.Of(new("10.142.1.10", 5678)));
    }

    [Theory]
    [InlineData("127.0.0.1:5678", true)]
    [InlineData("localhost:5678", true)]
    [InlineData("10.0.0.1:5678", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("nowhere", false)]
    public void Only_a_port_of_this_machine_can_be_routed_to(string text, bool valid) => Assert.Equal(valid, RoutingTable.TryParseEndpoint(text, out _));
}

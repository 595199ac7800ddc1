namespace ControlPlane.Tests.Infra;

/// <summary>The host that is entered in an emergency, when it may be NAT that fails.</summary>
public sealed class SessionHostTests
{
    private static readonly string[] SessionManager = ["SsmInterface", "SsmMessagesInterface", "Ec2MessagesInterface"];

    [Fact]
    public void It_is_entered_without_NAT_and_sees_what_the_dispatcher_sees()
    {
        var (platform, network, host) = Built(("SessionHost", "on"));

        foreach (var endpoint in SessionManager.Concat(["SecretsManagerInterface", "SqsInterface"]))
            Assert.Null(network.WhatStops(host, At(platform, network, endpoint), 443));
        foreach (var engine in new Landmarks(platform, network).Named("tenant-9 engine"))
        {
            Assert.Null(network.WhatStops(host, engine, 5678));
            Assert.All(new[] { 22, 443, 5432 }, port => Assert.NotNull(network.WhatStops(host, engine, port)));
        }
        Assert.Equal(Platform.Image, (string?)platform.Hub.Properties("SessionHostInstance")["ImageId"]);
    }

    [Fact]
    public void Nobody_reaches_it()
    {
        var (platform, network, host) = Built(("SessionHost", "on"));

        foreach (var from in new Landmarks(platform, network).All)
            foreach (var port in new[] { 22, 80, 443, 3389, 5678 })
                Assert.NotNull(network.WhatStops(from, host, port));
    }

    /// <summary>An endpoint's private DNS takes the whole VPC's Session Manager to it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_NAT_instances_are_entered_by_the_same_endpoints(int zone)
    {
        var (platform, network, _) = Built(("SessionHost", "on"));
        var nat = network.In(platform.Hub, $"PublicSubnet{zone}", "NAT", 10, platform.Hub.IdOf("NatSecurityGroup")) with { IsPublic = true };

        Assert.All(SessionManager, endpoint => Assert.Null(network.WhatStops(nat, At(platform, network, endpoint), 443)));
    }

    [Fact]
    public void Its_endpoints_cost_nothing_while_there_is_no_host_and_may_be_left_out()
    {
        Assert.Empty(Platform.Build([]).Hub.Resources.Keys.Intersect(SessionManager));
        Assert.Empty(Platform.Build([], ("SessionHost", "on"), ("SessionEndpoints", "false")).Hub.Resources.Keys.Intersect(SessionManager));
        Assert.Empty(Platform.Build([], ("SessionHost", "on"), ("NatMode", "gateway")).Hub.Resources.Keys.Intersect(["EndpointsFromNat"]));
    }

    private static (Platform Platform, Network Network, NetworkHost Host) Built(params (string Name, string Value)[] parameters)
    {
        var platform = Platform.Build(["tenant-9"], parameters);
        var network = platform.Network();
        return (platform, network, network.In(platform.Hub, "PrivateSubnet1", "session host", 20, platform.Hub.IdOf("SessionHostSecurityGroup")));
    }

    private static NetworkHost At(Platform platform, Network network, string endpoint)
    {
        var properties = platform.Hub.Properties(endpoint);
        var subnet = platform.Hub.Resources.Keys.Single(id => platform.Hub.IdOf(id) == properties["SubnetIds"].Texts().First());
        return network.In(platform.Hub, subnet, endpoint, 306, [.. properties["SecurityGroupIds"].Texts()]);
    }
}

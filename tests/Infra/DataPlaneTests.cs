namespace ControlPlane.Tests.Infra;

/// <summary>A tenant's network as an engine and its workflows use it.</summary>
public sealed class DataPlaneTests
{
    private static readonly NetworkHost Internet = new("somewhere", "198.51.100.7", null, []);

    [Theory]
    [InlineData("PrivateSubnet1", "false", "true")]
    [InlineData("PrivateSubnet2", "false", "false")]
    [InlineData("PrivateSubnet1", "true", "true")]
    [InlineData("PrivateSubnet3", "true", "false")]
    [InlineData("PublicSubnet1", "true", "true")]
    [InlineData("PublicSubnet1", "true", "false")]
    public void An_engine_reaches_the_internet_by_NAT_from_wherever_it_stands(string subnet, string inPublicRange, string natPerZone)
    {
        var (network, engine) = Engine(subnet, ("EngineInPublicRange", inPublicRange), ("NatPerZone", natPerZone));

        Assert.False(engine.IsPublic);
        Assert.All(new[] { 443, 80 }, port => Assert.Null(network.WhatStops(engine, Internet, port)));
        Assert.All(new[] { 22, 25, 587, 5432, 5678 }, port => Assert.NotNull(network.WhatStops(engine, Internet, port)));
    }

    [Fact]
    public void Without_the_flag_there_is_no_way_out_of_the_public_range() => Assert.Equal("no public address", WhatStopsIn("PublicSubnet1", 443));

    [Theory]
    [InlineData("EngineToDatabases", 5432)]
    [InlineData("EngineToMail", 587)]
    public void A_port_more_is_opened_by_its_own_switch(string parameter, int port)
    {
        Assert.NotNull(WhatStopsIn("PrivateSubnet2", port));
        Assert.Null(WhatStopsIn("PrivateSubnet2", port, (parameter, "on")));
        Assert.Null(WhatStopsIn("PublicSubnet1", port, (parameter, "on"), ("EngineInPublicRange", "true")));
    }

    [Theory]
    [InlineData("PrivateSubnet2", "false")]
    [InlineData("PublicSubnet1", "true")]
    public void Engine_hosts_talk_to_each_other_on_every_port(string other, string inPublicRange)
    {
        var (stack, network) = Built(("EngineInPublicRange", inPublicRange));
        var (here, there) = (At(stack, network, "PrivateSubnet1"), At(stack, network, other));

        foreach (var port in new[] { 5432, 5678, 6379 })
            Assert.Equal((null, null), (network.WhatStops(here, there, port), network.WhatStops(there, here, port)));
    }

    [Fact]
    public void The_engines_standby_stands_in_another_zone()
    {
        Assert.Equal(["PrivateSubnet1", "PrivateSubnet2"], Subnets("false"));
        Assert.Equal(["PublicSubnet1", "PrivateSubnet2"], Subnets("true"));

        static IEnumerable<string> Subnets(string inPublicRange)
        {
            var stack = Built(("EngineInPublicRange", inPublicRange)).Stack;
            return stack.Outputs["EngineSubnets"].Split(',').Select(subnet => stack.Resources.Keys.Single(id => stack.IdOf(id) == subnet));
        }
    }

    [Fact]
    public void A_tenant_may_have_the_hubs_private_name()
    {
        var hub = Platform.Build([]).Hub;
        var tenant = Built(("PrivateApiDnsEntry", hub.Outputs["PrivateApiDnsEntry"])).Stack;

        Assert.Equal(tenant.IdOf("Vpc"), (string?)tenant.Properties("PrivateZone")["VPCs"]![0]!["VPCId"]);
        Assert.Equal(hub.Properties("PrivateZone")["Name"]!.ToString(), (string?)tenant.Properties("PrivateZone")["Name"]);
        Assert.Equal(hub.Properties("PrivateApiName")["Name"]!.ToString(), (string?)tenant.Properties("PrivateApiName")["Name"]);
        Assert.Equal(hub.Properties("PrivateApiName")["AliasTarget"]!.ToJsonString(), tenant.Properties("PrivateApiName")["AliasTarget"]!.ToJsonString());
        Assert.Empty(Built().Stack.OfType("AWS::Route53::HostedZone"));
    }

    private static string? WhatStopsIn(string subnet, int port, params (string Name, string Value)[] parameters)
    {
        var (network, engine) = Engine(subnet, parameters);
        return network.WhatStops(engine, Internet, port);
    }

    private static (Network Network, NetworkHost Engine) Engine(string subnet, params (string Name, string Value)[] parameters)
    {
        var (stack, network) = Built(parameters);
        return (network, At(stack, network, subnet));
    }

    private static NetworkHost At(Stack stack, Network network, string subnet) =>
        network.In(stack, subnet, $"engine in {subnet}", 266, stack.IdOf("EngineSecurityGroup"));

    private static (Stack Stack, Network Network) Built(params (string Name, string Value)[] parameters)
    {
        var stack = Platform.DataPlane(Template.Read("infra/tenant-data-plane.template"), parameters: parameters);
        return (stack, new([stack]));
    }
}

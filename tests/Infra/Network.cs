using System.Globalization;
using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>Something with an address: a function's interface, an engine, an endpoint, or a place outside that only has an address.</summary>
/// <param name="Subnet">Id of its subnet; null outside of every VPC.</param>
/// <param name="Service">The AWS service that it is, where a gateway endpoint may lead to it.</param>
/// <param name="PrefixList">The AWS-managed list that such a service's addresses are on.</param>
/// <param name="IsPublic">It has an address of the internet's beside its own: nobody else gets through an internet gateway.</param>
internal sealed record NetworkHost(
    string Name, string Address, string? Subnet, IReadOnlyList<string> Groups, string? Service = null, string? PrefixList = null, bool IsPublic = false)
{
    public override string ToString() => $"{Name} ({Address})";
}

/// <summary>Follows packets through what the templates build: security groups, ACLs, route tables, peerings and NAT, there and back.</summary>
internal sealed class Network
{
    private readonly IReadOnlyList<(Stack Stack, string Id, JsonObject Resource)> _resources;
    private readonly Dictionary<string, Subnet> _subnets = [];
    private readonly Dictionary<string, List<Route>> _routes = [];
    private readonly Dictionary<string, List<Rule>> _ingress = [];
    private readonly Dictionary<string, List<Rule>> _egress = [];
    private readonly Dictionary<(string Acl, bool Outwards), List<AclRule>> _acls = [];
    private readonly Dictionary<string, List<Cidr>> _prefixLists = [];
    private readonly Dictionary<string, (string Requester, string Accepter)> _peerings = [];
    private readonly Dictionary<string, NetworkHost> _natInterfaces = [];

    public Network(IEnumerable<Stack> stacks)
    {
        _resources = [.. stacks.SelectMany(stack => stack.Resources.Select(one => (stack, one.Key, one.Value)))];
        foreach (var (stack, id, list) in Of("AWS::EC2::PrefixList"))
            _prefixLists[stack.IdOf(id)] = [.. list["Entries"].Many().Select(entry => Cidr.Parse((string)entry["Cidr"]!))];
        foreach (var (stack, id, peering) in Of("AWS::EC2::VPCPeeringConnection"))
            _peerings[stack.IdOf(id)] = ((string)peering["VpcId"]!, (string)peering["PeerVpcId"]!);
        ReadRoutes();
        ReadSubnets();
        ReadSecurityGroups();
        ReadAcls();
        ReadNatInterfaces();
    }

    private sealed record Subnet(string Vpc, Cidr Block, string RouteTable, string? Acl);

    private sealed record Route(Cidr? To, string? Service, string? Peering, string? NatInterface, string? Gateway);

    private sealed record Rule(bool AnyProtocol, int From, int To, Cidr? Block, string? Group, string? PrefixList);

    private sealed record AclRule(int Number, bool Allows, Cidr Block, int From, int To);

    /// <summary>A place in a subnet, at its <paramref name="offset"/>th address.</summary>
    public NetworkHost In(Stack stack, string subnet, string name, uint offset, params IReadOnlyList<string> groups) =>
        new(name, _subnets[stack.IdOf(subnet)].Block.Address(offset), stack.IdOf(subnet), groups);

    /// <returns>Null when a connection can be made and answered, else what stops it.</returns>
    public string? WhatStops(NetworkHost from, NetworkHost to, int port)
    {
        if (from.Subnet is null)
            return "it comes from outside, and no door here leads in";
        return Leaves(from, to, port) ?? Travels(from, to, port) ?? (to.Subnet is null ? null : Arrives(from, to, port) ?? ComesBack(from, to));
    }

    private string? Leaves(NetworkHost from, NetworkHost to, int port) =>
        Admits(_egress, from, to, port) ? AclStops(from, to, port, outwards: true) : "no egress rule";

    private string? Arrives(NetworkHost from, NetworkHost to, int port) =>
        AclStops(to, from, port, outwards: false) ?? (Admits(_ingress, to, from, port) ? null : "no ingress rule");

    private string? Travels(NetworkHost from, NetworkHost to, int port)
    {
        var subnet = _subnets[from.Subnet!];
        var target = to.Subnet is null ? null : _subnets[to.Subnet];
        if (target?.Vpc == subnet.Vpc)
            return null;
        return RouteOf(subnet, to) switch
        {
            null => "no route",
            { Peering: { } peering } => !_peerings.TryGetValue(peering, out var ends) ? "a peering that does not exist"
                : ends == (subnet.Vpc, target?.Vpc) || ends == (target?.Vpc, subnet.Vpc) ? null
                : "the peering ends in another VPC, and peering is not transitive",
            _ when target is not null => "the internet does not lead into a VPC",
            { NatInterface: { } nat } =>
                _natInterfaces.TryGetValue(nat, out var place) ? ThroughNat(from, to, port, place) : "an interface that takes only what is addressed to it",
            { Gateway: ['i', 'g', 'w', '-', ..] } when !from.IsPublic => "no public address",
            _ => null,
        };
    }

    // Behind the NAT its own address travels, on its own rules.
    private string? ThroughNat(NetworkHost from, NetworkHost to, int port, NetworkHost nat) =>
        Arrives(from, nat, port) ?? ComesBack(from, nat) ?? Leaves(nat, to, port) ?? Travels(nat, to, port);

    // Security groups remember a connection; ACLs and routes do not.
    private string? ComesBack(NetworkHost from, NetworkHost to)
    {
        var back = _subnets[to.Subnet!];
        if (_subnets[from.Subnet!].Vpc != back.Vpc && RouteOf(back, from)?.Peering is null)
            return "no route back";
        foreach (var port in new[] { 32768, 60999 })
            if ((AclStops(to, from, port, outwards: true) ?? AclStops(from, to, port, outwards: false)) is { } acl)
                return $"answers: {acl}";
        return null;
    }

    private Route? RouteOf(Subnet subnet, NetworkHost to) =>
        Under(_routes, subnet.RouteTable)
            .Where(route => route.To?.Contains(to.Address) ?? (to.Service is not null && route.Service == to.Service))
            .MaxBy(route => route.To?.Length ?? 32);

    private bool Admits(Dictionary<string, List<Rule>> rules, NetworkHost at, NetworkHost other, int port) =>
        at.Groups.SelectMany(group => Under(rules, group)).Any(rule => (rule.AnyProtocol || (rule.From <= port && port <= rule.To)) && Names(rule, other));

    private bool Names(Rule rule, NetworkHost other) =>
        rule.Block?.Contains(other.Address) is true
        || (rule.Group is not null && other.Groups.Contains(rule.Group))
        || (rule.PrefixList is not null && (_prefixLists.TryGetValue(rule.PrefixList,
            out var blocks) ? blocks.Any(block => block.Contains(other.Address)) : rule.PrefixList == other.PrefixList));

    private string? AclStops(NetworkHost at, NetworkHost other, int port, bool outwards)
    {
        if (at.Subnet is null || at.Subnet == other.Subnet || _subnets[at.Subnet].Acl is not { } acl)
            return null;
        var rule = _acls.GetValueOrDefault((acl, outwards))?.FirstOrDefault(rule => rule.From <= port && port <= rule.To && rule.Block.Contains(other.Address));
        return rule?.Allows is true ? null : $"ACL {(outwards ? "out of" : "into")} {at.Name}'s subnet";
    }

    private void ReadRoutes()
    {
        foreach (var (_, _, route) in Of("AWS::EC2::Route"))
            Under(_routes, (string)route["RouteTableId"]!).Add(new(
                Cidr.Parse((string)route["DestinationCidrBlock"]!), null, (string?)route["VpcPeeringConnectionId"], (string?)route["NetworkInterfaceId"],
                (string?)(route["GatewayId"] ?? route["NatGatewayId"])));
        foreach (var (_, _, endpoint) in Of("AWS::EC2::VPCEndpoint"))
            foreach (var table in endpoint["RouteTableIds"].Texts())
                Under(_routes, table).Add(new(null, (string)endpoint["ServiceName"]!, null, null, null));
    }

    private void ReadSubnets()
    {
        var tables = Of("AWS::EC2::SubnetRouteTableAssociation")
            .ToDictionary(one => (string)one.Properties["SubnetId"]!, one => (string)one.Properties["RouteTableId"]!);
        var acls = Of("AWS::EC2::SubnetNetworkAclAssociation")
            .ToDictionary(one => (string)one.Properties["SubnetId"]!, one => (string)one.Properties["NetworkAclId"]!);
        foreach (var (stack, id, properties) in Of("AWS::EC2::Subnet"))
        {
            var subnet = stack.IdOf(id);
            _subnets[subnet] = new(
                (string)properties["VpcId"]!, Cidr.Parse((string)properties["CidrBlock"]!), tables.GetValueOrDefault(subnet, "none"),
                acls.GetValueOrDefault(subnet));
        }
    }

    private void ReadSecurityGroups()
    {
        foreach (var (stack, id, group) in Of("AWS::EC2::SecurityGroup"))
        {
            Under(_ingress, stack.IdOf(id)).AddRange(group["SecurityGroupIngress"].Many().Select(rule => RuleFrom(rule, "Source")));
            // Without any egress rule AWS adds one that allows everything.
            Under(_egress, stack.IdOf(id)).AddRange(group["SecurityGroupEgress"] is { } rules
                ? rules.Many().Select(rule => RuleFrom(rule, "Destination"))
                : [new(AnyProtocol: true, 0, 0, Cidr.Parse("0.0.0.0/0"), null, null)]);
        }
        foreach (var (_, _, rule) in Of("AWS::EC2::SecurityGroupIngress"))
            Under(_ingress, (string)rule["GroupId"]!).Add(RuleFrom(rule, "Source"));
        foreach (var (_, _, rule) in Of("AWS::EC2::SecurityGroupEgress"))
            Under(_egress, (string)rule["GroupId"]!).Add(RuleFrom(rule, "Destination"));
    }

    // ICMP has types where TCP has ports; no place here is reached by it.
    private static Rule RuleFrom(JsonNode rule, string end) => new(
        (string)rule["IpProtocol"]! == "-1",
        (string)rule["IpProtocol"]! == "tcp" ? Number(rule["FromPort"]) : 1, (string)rule["IpProtocol"]! == "tcp" ? Number(rule["ToPort"]) : 0,
        rule["CidrIp"] is { } block ? Cidr.Parse((string)block!) : null,
        (string?)rule[$"{end}SecurityGroupId"], (string?)rule[$"{end}PrefixListId"]);

    private void ReadAcls()
    {
        foreach (var acl in Of("AWS::EC2::NetworkAclEntry").GroupBy(one => ((string)one.Properties["NetworkAclId"]!, (bool)one.Properties["Egress"]!)))
            _acls[acl.Key] =
            [
                .. acl.Select(one => new AclRule(Number(one.Properties["RuleNumber"]), (string)one.Properties["RuleAction"]! == "allow",
                    Cidr.Parse((string)one.Properties["CidrBlock"]!),
                    Number(one.Properties["PortRange"]!["From"]), Number(one.Properties["PortRange"]!["To"]))).OrderBy(rule => rule.Number),
            ];
    }

    private void ReadNatInterfaces()
    {
        foreach (var (stack, id, nat) in Of("AWS::EC2::NetworkInterface"))
            if ((bool?)nat["SourceDestCheck"] is false)
                _natInterfaces[stack.IdOf(id)] = new(
                    id, _subnets[(string)nat["SubnetId"]!].Block.Address(10), (string)nat["SubnetId"]!, [.. nat["GroupSet"].Texts()], IsPublic: true);
    }

    private IEnumerable<(Stack Stack, string Id, JsonObject Properties)> Of(string type) =>
        _resources.Where(one => (string?)one.Resource["Type"] == type).Select(one => (one.Stack, one.Id, one.Resource["Properties"]!.AsObject()));

    private static List<T> Under<T>(Dictionary<string, List<T>> map, string key) => map.TryGetValue(key, out var list) ? list : map[key] = [];

    private static int Number(JsonNode? node) => int.Parse(node!.ToString(), CultureInfo.InvariantCulture);
}

using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>Who can open a connection to whom, from the templates alone.</summary>
public sealed class ReachabilityTests
{
    private static readonly string[] Tenants = ["tenant-1", "tenant-2", "tenant-43", "tenant-156"];
    private static readonly int[] Ports = [22, 53, 80, 443, 3389, 5432, 5678, 8080];
    private static readonly int[] Web = [80, 443];

    // Everything that may be reached, and by nothing else: (from, to, port).
    private static IEnumerable<(string From, string To, int Port)> Intended()
    {
        foreach (var function in new[]
                 {
                     "SlackCommandsFunction", "SlackNotificationsFunction", "SlackInstallationFunction", "SlackEventsFunction", "ExecutionRequestsFunction", "JwksFunction",
                     "DispatchFunction", "OutcomesFunction", "HeartbeatsFunction", "EnrolmentFunction", "SweeperFunction",
                 })
        {
            yield return (function, "DynamoDB", 443);
            foreach (var endpoint in new[] { "SecretsManagerInterface", "SqsInterface", "LogsInterface" })
                yield return (function, endpoint, 443);
        }
        yield return ("SlackNotificationsFunction", "Slack", 443);
        yield return ("SlackInstallationFunction", "Slack", 443);
        yield return ("SlackCommandsFunction", "Slack", 443);
        yield return ("SlackEventsFunction", "Slack", 443);
        yield return ("EnrolmentFunction", "Slack", 443);            // STS, which has a public address like Slack's
        yield return ("NAT", "Slack", 443);
        foreach (var tenant in Tenants)
        {
            yield return ("DispatchFunction", $"{tenant} engine", 5678);
            yield return ($"{tenant} engine", "PrivateApiInterface", 443);
            // What a workflow calls on the internet is its tenant's business; DynamoDB is there like any public address. Packages come by HTTP too.
            foreach (var from in new[] { $"{tenant} engine", $"{tenant} NAT" })
                foreach (var to in new[] { "Slack", "DynamoDB" })
                    foreach (var port in Web)
                        yield return (from, to, port);
            // Engine, standby, database and workers are one another's business.
            foreach (var port in Ports)
                yield return ($"{tenant} engine", $"{tenant} engine", port);
        }
        // tenant-43's engine stands in its public range, by its own flag; the subnet is as private as the others then.
        const string Flagged = "tenant-43 engine in its public range";
        yield return ("DispatchFunction", Flagged, 5678);
        yield return (Flagged, "PrivateApiInterface", 443);
        foreach (var port in Web)
            foreach (var to in new[] { "Slack", "DynamoDB", "tenant-43 NAT" })
                yield return (Flagged, to, port);
        foreach (var port in Ports)
        {
            yield return (Flagged, "tenant-43 engine", port);
            yield return ("tenant-43 engine", Flagged, port);
        }
        // Elsewhere no engine stands there; if one did, the ACL lets in what NAT takes, and it would get no answer out to anywhere.
        foreach (var tenant in Tenants.Where(one => one != "tenant-43"))
            foreach (var port in Web)
                yield return ($"{tenant} engine", $"{tenant} engine in its public range", port);
        // Who may reach Slack by NAT opens its connection at the NAT, and a NAT instance reaches whatever is public.
        yield return ("SlackNotificationsFunction", "NAT", 443);
        yield return ("SlackInstallationFunction", "NAT", 443);
        yield return ("SlackCommandsFunction", "NAT", 443);
        yield return ("SlackEventsFunction", "NAT", 443);
        yield return ("EnrolmentFunction", "NAT", 443);
        yield return ("NAT", "DynamoDB", 443);
        foreach (var tenant in Tenants)
            foreach (var port in Web)
                yield return ($"{tenant} engine", $"{tenant} NAT", port);
    }

    [Fact]
    public void Exactly_the_two_flows_and_the_calls_they_need_are_open()
    {
        Assert.Empty(Surprises(Platform.Build(Tenants)));
    }

    [Fact]
    public void No_tenant_reaches_another_on_any_port()
    {
        var platform = Platform.Build(Tenants);
        var network = platform.Network();
        var landmarks = new Landmarks(platform, network).All.Where(place => place.Name.StartsWith("tenant-", StringComparison.Ordinal)).ToList();
        var pairs = landmarks.SelectMany(from => landmarks.Where(to => Owner(to) != Owner(from)).Select(to => (from, to))).ToList();

        Assert.True(pairs.Count > 100);
        foreach (var (from, to) in pairs)
            foreach (var port in Ports)
                Assert.NotNull(network.WhatStops(from, to, port));

        static string Owner(NetworkHost place) => place.Name.Split(' ')[0];
    }

    [Theory]
    [InlineData("tenant-1", "10.100.128.10")]
    [InlineData("tenant-156", "10.255.128.10")]
    public void The_dispatcher_reaches_an_engine_from_every_zone(string tenant, string address)
    {
        var platform = Platform.Build([tenant]);
        var network = platform.Network();
        var landmarks = new Landmarks(platform, network);
        var engine = landmarks.Named($"{tenant} engine").First();

        Assert.Equal(address, engine.Address);
        Assert.Equal(3, landmarks.Named("DispatchFunction").Count());
        Assert.All(landmarks.Named("DispatchFunction"), dispatcher => Assert.Null(network.WhatStops(dispatcher, engine, 5678)));
    }

    [Fact]
    public void The_engine_of_tenant_43_is_reached_at_its_documented_address()
    {
        var platform = Platform.Build(["tenant-43"]);
        var network = platform.Network();
        var engine = new Landmarks(platform, network).Named("tenant-43 engine in its public range").Single();

        Assert.Equal("10.142.1.10", engine.Address);
        Assert.Null(network.WhatStops(new Landmarks(platform, network).Named("DispatchFunction").First(), engine, 5678));
    }

    [Fact]
    public void The_private_api_is_reached_at_its_documented_address()
    {
        var platform = Platform.Build(["tenant-7"]);
        var network = platform.Network();
        var api = new Landmarks(platform, network).Named("PrivateApiInterface").First();

        Assert.Equal("10.10.1.50", api.Address);
        Assert.Null(network.WhatStops(new Landmarks(platform, network).Named("tenant-7 engine").First(), api, 443));
    }

    [Fact]
    public void With_nat_gateways_Slack_is_still_reached()
    {
        var platform = Platform.Build([], ("NatMode", "gateway"));
        var network = platform.Network();
        var from = network.In(platform.Hub, "PrivateSubnet2", "notifications", 100, platform.Hub.IdOf("NotificationsSecurityGroup"));

        Assert.Null(network.WhatStops(from, Landmarks.Slack, 443));
    }

    [Fact]
    public void With_one_nat_for_all_Slack_is_reached_from_every_zone()
    {
        var platform = Platform.Build([], ("NatPerZone", "false"));
        var network = platform.Network();

        Assert.All(new Landmarks(platform, network).Named("SlackNotificationsFunction"), from => Assert.Null(network.WhatStops(from, Landmarks.Slack, 443)));
    }

    [Theory]
    [InlineData("SqsEndpoint")]
    [InlineData("SecretsManagerEndpoint")]
    public void Without_an_endpoint_its_service_is_reached_by_nat_and_else_the_internet_stays_shut(string endpoint)
    {
        var service = new NetworkHost("a service of AWS", "52.46.1.1", null, []);

        Assert.Equal((false, true), (Reaches(Platform.Build([])), Reaches(Platform.Build([], (endpoint, "false")))));

        bool Reaches(Platform platform)
        {
            var network = platform.Network();
            return new[] { "HeartbeatsFunction", "DispatchFunction" }.SelectMany(new Landmarks(platform, network).Named)
                .All(from => network.WhatStops(from, service, 443) is null);
        }
    }

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "a route is missing", "infra/tenant-peering.template", root => root.Drop("Resources/Route2ToDataPlane") },
        { "the way back is missing", "infra/tenant-data-plane.template", root => root.Drop("Resources/PrivateRoute1ToControlPlane") },
        { "a route leads to the neighbour", "infra/tenant-peering.template",
            root => root.Set("Resources/Route1ToDataPlane/Properties/DestinationCidrBlock", "10.101.128.0/18") },
        { "engines admit nobody", "infra/tenant-data-plane.template",
            root => root.Set("Resources/EngineSecurityGroup/Properties/SecurityGroupIngress/0/FromPort", 5679) },
        { "the dispatcher may go anywhere", "infra/network.template", root => root.Drop("Resources/DispatcherSecurityGroup/Properties/SecurityGroupEgress") },
        { "the dispatcher has the wrong group", "serverless.template",
            root => root.Set("Resources/DispatchFunction/Properties/VpcConfig/SecurityGroupIds/0", new JsonObject { ["Ref"] = "FunctionsSecurityGroup" }) },
        { "heartbeats may post to Slack", "serverless.template", root => root.Set("Resources/HeartbeatsFunction/Properties/VpcConfig/SecurityGroupIds/0",
            new JsonObject { ["Ref"] = "NotificationsSecurityGroup" }) },
        { "the private API is open to the hub", "infra/network.template", root => root.At("Resources/PrivateApiSecurityGroup/Properties/SecurityGroupIngress").AsArray().Add(new JsonObject { ["IpProtocol"] = "tcp", ["FromPort"] = 443, ["ToPort"] = 443, ["CidrIp"] = "10.10.0.0/16" }) },
        { "data planes reach the other endpoints", "infra/network.template", root => root.At("Resources/EndpointsSecurityGroup/Properties").Set("SecurityGroupIngress", new JsonArray(new JsonObject { ["IpProtocol"] = "tcp", ["FromPort"] = 443, ["ToPort"] = 443, ["CidrIp"] = "10.0.0.0/8" })) },
        { "a block is missing from the data planes' range", "infra/network.template",
            root => root.At("Resources/DataPlanes/Properties/Entries").AsArray().RemoveAt(3) },
        { "an ACL forgets the engines", "infra/network.template", root => root.Drop("Resources/PrivateAclOut110") },
        { "an ACL forgets answers", "infra/network.template", root => root.Drop("Resources/PrivateAclIn200") },
        { "the public ACL lets nothing back", "infra/network.template", root => root.Drop("Resources/PublicAclOut110") },
        { "a subnet has no route table", "infra/network.template", root => root.Drop("Resources/PrivateSubnet3Routes") },
        { "NAT checks the source", "infra/network.template", root => root.Drop("Resources/NatInterface1/Properties/SourceDestCheck") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, string template, Action<JsonObject> plant)
    {
        Assert.True(Surprises(Platform.Build(Template.Read(template).With(plant), Tenants)).Count > 0, $"Nothing found although {error}.");
    }

    /// <summary>Every pair of places on every port, where what is open differs from what is intended.</summary>
    private static List<string> Surprises(Platform platform)
    {
        var network = platform.Network();
        var landmarks = new Landmarks(platform, network).All;
        var intended = Intended().ToHashSet();
        var surprises = new List<string>();
        foreach (var from in landmarks)
            foreach (var to in landmarks.Where(to => to != from))
                foreach (var port in Ports)
                {
                    var stops = network.WhatStops(from, to, port);
                    if (stops is null != intended.Contains((from.Name, to.Name, port)))
                        surprises.Add($"{from} → {to}:{port} {stops ?? "is open"}");
                }
        return surprises;
    }
}

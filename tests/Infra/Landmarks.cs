namespace ControlPlane.Tests.Infra;

/// <summary>The places between which traffic is judged: every function in each of its zones, every endpoint, every engine and sidecar, and the world
/// outside.</summary>
internal sealed class Landmarks
{
    public static readonly NetworkHost Slack = new("Slack", "3.94.1.1", null, []);

    private readonly List<NetworkHost> _all = [];

    public Landmarks(Platform platform, Network network)
    {
        var (hub, application) = (platform.Hub, platform.Application);
        foreach (var (id, function) in application.OfType("AWS::Serverless::Function"))
            foreach (var zone in Zones)
                _all.Add(network.In(hub, $"PrivateSubnet{zone}", id, 100, [.. function["VpcConfig"]!["SecurityGroupIds"].Texts()]));
        foreach (var (id, endpoint) in hub.OfType("AWS::EC2::VPCEndpoint").Where(one => (string?)one.Properties["VpcEndpointType"] == "Interface"))
            foreach (var zone in Zones)
                _all.Add(network.In(hub, $"PrivateSubnet{zone}", id, 306, [.. endpoint["SecurityGroupIds"].Texts()]));
        foreach (var zone in Zones)
            _all.Add(network.In(hub, $"PublicSubnet{zone}", "NAT", 10, hub.IdOf("NatSecurityGroup")) with { IsPublic = true });
        foreach (var (tenant, dataPlane, _) in platform.Tenants)
        {
            var engine = dataPlane.IdOf("EngineSecurityGroup");
            _all.Add(network.In(dataPlane, "PrivateSubnet1", $"{tenant} engine", 10, engine));
            _all.Add(network.In(dataPlane, "PrivateSubnet2", $"{tenant} engine", 10, engine));
            _all.Add(network.In(dataPlane, "PublicSubnet1", $"{tenant} engine in its public range", 266, engine));
            _all.Add(network.In(dataPlane, "PublicSubnet2", $"{tenant} NAT", 10, dataPlane.IdOf("NatSecurityGroup")) with { IsPublic = true });
        }
        _all.Add(Slack);
        _all.Add(DynamoDb);
    }

    public static readonly NetworkHost DynamoDb = new("DynamoDB", "52.94.2.1", null, [], "com.amazonaws.us-east-1.dynamodb", "pl-02cd2c6b");

    public static IReadOnlyList<int> Zones { get; } = [1, 2, 3];

    public IReadOnlyList<NetworkHost> All => _all;

    public IEnumerable<NetworkHost> Named(string name) => _all.Where(place => place.Name == name);
}

namespace ControlPlane.Tests.Infra;

/// <summary>The whole platform as its templates would build it: hub, application, edge and some tenants, each output handed on as infra/README.md
/// says.</summary>
internal sealed class Platform
{
    public const string Domain = "example.com";

    /// <summary>The image that somebody chose for the instances.</summary>
    public const string Image = "ami-0123456789abcdef0";

    /// <summary>What a data plane's host is made of, as its operator says it.</summary>
    private static readonly (string Name, string Value)[] Host =
    [
        ("EnginePackage", "packages/data-plane-host.tar.gz"), ("EnginePackageSha256", new('0', 64)),
        ("PrivateApiUrl", "https://api-vpce.execute-api.us-east-1.amazonaws.com/v1"), ("ControlPlaneUrl", $"https://api.{Domain}"),
    ];

    /// <summary>What switches the panel on at the hub.</summary>
    private static readonly (string Name, string Value)[] PanelAtHub = [("AdminLoadBalancer", "on"), ("AdminClientCidr", "198.51.100.0/24")];

    private readonly Func<string, Template> _templates;

    private Platform(Func<string, Template> templates, (string Name, string Value)[] hubParameters, bool withPanel = false)
    {
        _templates = templates;
        Hub = Stack.Deploy(templates("infra/network.template"), "network", Here,
            [("DomainName", Domain), ("HostedZoneId", "Z0123456789"), ("OrganizationId", "o-0123456789"), ("NatImage", Image), .. hubParameters]);
        Application = Stack.Deploy(templates("serverless.template"), "control-plane", Here, withPanel ? PanelOf(Hub) : []);
        Edge = Stack.Deploy(templates("infra/edge.template"), "edge", Here, ("OriginVerifyVersion", "01234567-89ab-cdef-0123-456789abcdef"),
            ("SecondaryTarget", "d-standby.example"), ("SecondaryTargetZoneId", "Z1"), ("SecondaryRegionTarget", "d-west.example"),
            ("SecondaryRegionTargetZoneId", "Z2"), ("SecondaryActiveAlarm", "control-plane-region-active"));
        Backup = Stack.Deploy(templates("infra/backup.template"), "backup", Here, ("BucketName", "state"));
    }

    public Account Here { get; } = new("111111111111");

    public Stack Hub { get; }

    public Stack Application { get; }

    public Stack Edge { get; }

    public Stack Backup { get; }

    public List<(string Tenant, Stack DataPlane, Stack Peering)> Tenants { get; } = [];

    /// <summary>Without tenants and with the admin panel.</summary>
    public static Platform WithPanel(params (string Name, string Value)[] hubParameters) =>
        new(Template.Read, [.. PanelAtHub, .. hubParameters], withPanel: true);

    /// <summary>The same with an error planted in one template.</summary>
    public static Platform WithPanel(Template changed) => new(name => name == changed.Name ? changed : Template.Read(name), PanelAtHub, withPanel: true);

    /// <summary>What switches the panel on in the application: what the hub puts out, and what an identity provider says.</summary>
    public static (string Name, string Value)[] PanelOf(Stack hub) =>
    [
        ("AdminListenerArn", hub.Outputs["AdminListenerArn"]), ("AdminBalancerArn", hub.Outputs["AdminBalancerArn"]),
        ("OidcIssuer", "https://idp.example.com/"), ("OidcAuthorizationEndpoint", "https://idp.example.com/authorize"),
        ("OidcTokenEndpoint", "https://idp.example.com/token"), ("OidcUserInfoEndpoint", "https://idp.example.com/userinfo"),
        ("OidcClientId", "control-plane-panel"), ("OidcClientSecretId", "control-plane/oidc"), ("OidcRoles", "groups:ops=operator,groups:all=viewer"),
    ];

    public static Platform Build(IEnumerable<string> tenants, params (string Name, string Value)[] hubParameters) =>
        Build(Template.Read, tenants, hubParameters);

    /// <summary>With an error planted in one template.</summary>
    public static Platform Build(Template changed, IEnumerable<string> tenants) => Build(name => name == changed.Name ? changed : Template.Read(name), tenants);

    /// <summary>A tenant's data plane alone, beside a hub that is only named.</summary>
    public static Stack DataPlane(Template template, string tenant = "tenant-9", params (string Name, string Value)[] parameters) => Stack.Deploy(
        template, $"dp-{tenant}", new("222222222222"),
        [("TenantId", tenant), ("NatImage", Image), ("PeerVpcId", "vpc-0123456789abcdef0"), ("PeerAccountId", "111111111111"),
            .. Host.ExceptBy(parameters.Select(one => one.Name), one => one.Name), .. parameters]);

    /// <summary>The same templates without tenants, the hub with other parameters.</summary>
    public static Platform Build(Platform like, params (string Name, string Value)[] hubParameters) => new(like._templates, hubParameters);

    public Network Network() => new([Hub, .. Tenants.SelectMany(one => new[] { one.DataPlane, one.Peering })]);

    private static Platform Build(Func<string, Template> templates, IEnumerable<string> tenants, params (string Name, string Value)[] hubParameters)
    {
        var platform = new Platform(templates, hubParameters);
        foreach (var tenant in tenants)
            platform.Add(tenant, engineInPublicRange: tenant == "tenant-43");
        return platform;
    }

    private void Add(string tenant, bool engineInPublicRange)
    {
        var flag = ("EngineInPublicRange", engineInPublicRange ? "true" : "false");
        var theirs = new Account("222222222222");
        var dataPlane = Stack.Deploy(_templates("infra/tenant-data-plane.template"), $"dp-{tenant}", theirs,
            [("TenantId", tenant), ("NatImage", Image), ("PeerVpcId", Hub.Outputs["VpcId"]), ("PeerAccountId", Hub.Outputs["AccountId"]),
            ("ControlPlaneCidr", Hub.Outputs["FunctionsCidr"]), .. Host, flag]);
        var peering = Stack.Deploy(_templates("infra/tenant-peering.template"), $"peering-{tenant}", Here,
            ("TenantId", tenant), ("PeeringId", dataPlane.Outputs["PeeringId"]), ("DataPlaneCidr", dataPlane.Outputs["VpcCidr"]), flag);
        Tenants.Add((tenant, dataPlane, peering));
    }
}

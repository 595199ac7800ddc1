using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ControlPlane.Tests.Infra;

/// <summary>The operators' way in: balancer, firewall and certificate at the hub, sign-in and function in the application, and nobody beside them.</summary>
public sealed class PanelTests
{
    private static readonly NetworkHost IdentityProvider = new("the identity provider", "20.190.130.1", null, []);

    [Fact]
    public void There_is_one_way_in_and_it_asks_who_somebody_is() => Assert.Empty(Findings(Platform.WithPanel()));

    [Fact]
    public void Nothing_of_it_is_there_until_it_is_switched_on()
    {
        var platform = Platform.Build([]);

        Assert.DoesNotContain(platform.Hub.Resources.Keys.Concat(platform.Application.Resources.Keys), id => id.Contains("Admin", StringComparison.Ordinal));
        Assert.DoesNotContain(platform.Hub.Outputs.Keys, id => id.Contains("Admin", StringComparison.Ordinal));
        Assert.Empty(platform.Application.OfType("AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::Lambda::Permission"));
    }

    [Fact]
    public void A_certificate_that_is_there_already_is_used_and_none_is_made()
    {
        const string Given = "arn:aws:acm:us-east-1:111111111111:certificate/one";
        var hub = Platform.WithPanel(("AdminCertificateArn", Given)).Hub;

        Assert.Equal(Given, (string?)hub.Properties("AdminListener")["Certificates"]!.AsArray().Single()!["CertificateArn"]);
        Assert.Empty(hub.OfType("AWS::CertificateManager::Certificate"));
    }

    public static TheoryData<string> Needed => [.. Platform.PanelOf(Platform.WithPanel().Hub).Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Needed))]
    public void Half_a_panel_is_refused(string missing)
    {
        var platform = Platform.WithPanel();
        var parameters = Platform.PanelOf(platform.Hub);
        Stack.Deploy(Template.Read("serverless.template"), "control-plane", platform.Here, parameters);

        Assert.Throws<StackRefused>(() => Stack.Deploy(
            Template.Read("serverless.template"), "control-plane", platform.Here, [.. parameters.Where(one => one.Name != missing)]));
    }

    [Theory]
    [InlineData("OidcIssuer", "http://idp.example.com")]
    [InlineData("OidcScope", "email groups")]
    [InlineData("OidcRoles", "groups:ops")]
    [InlineData("OidcRoles", "groups:ops=administrator")]
    [InlineData("OidcClientSecretId", "control-plane/oidc}}{{resolve:secretsmanager:control-plane/slack")]
    [InlineData("AdminListenerArn", "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/one/0")]
    public void A_value_of_another_kind_is_refused(string name, string value)
    {
        var platform = Platform.WithPanel();

        Assert.Throws<StackRefused>(() => Stack.Deploy(
            Template.Read("serverless.template"), "control-plane", platform.Here,
            [.. Platform.PanelOf(platform.Hub).Where(one => one.Name != name), (name, value)]));
    }

    [Fact]
    public void A_rotated_client_secret_is_another_value_to_the_stack()
    {
        var platform = Platform.WithPanel();
        var rotated = Stack.Deploy(
            Template.Read("serverless.template"), "control-plane", platform.Here, [.. Platform.PanelOf(platform.Hub), ("OidcClientSecretVersion", "0f-1")]);

        Assert.Equal("{{resolve:secretsmanager:control-plane/oidc:SecretString:client_secret}}", SecretIn(platform.Application));
        Assert.Equal("{{resolve:secretsmanager:control-plane/oidc:SecretString:client_secret::0f-1}}", SecretIn(rotated));

        static string? SecretIn(Stack application) =>
            (string?)application.Properties("AdminPanelRule")["Actions"]![0]!["AuthenticateOidcConfig"]!["ClientSecret"];
    }

    [Theory]
    [InlineData("0", false), InlineData("65536", false), InlineData("69999", false), InlineData("0069999", false)]
    [InlineData("70000", true), InlineData("100000", true), InlineData("0070000", true), InlineData("99999999999999999999", true)]
    public void A_form_that_says_it_is_too_long_is_not_let_through(string length, bool blocked)
    {
        var rule = Rules(Platform.WithPanel().Hub)["declared-size"];

        Assert.Equal(blocked, Regex.IsMatch(length, (string)rule["Statement"]!["RegexMatchStatement"]!["RegexString"]!));
    }

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "TLS 1.2 is spoken too", "infra/network.template", root => root.Set("Resources/AdminListener/Properties/SslPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06") },
        { "plain HTTP is spoken", "infra/network.template", root => root.Set("Resources/AdminListener/Properties/Protocol", "HTTP") },
        { "whoever knows no name gets the panel", "infra/network.template", root => root.Set("Resources/AdminListener/Properties/DefaultActions/0/Type", "forward") },
        { "a certificate that nobody proves", "infra/network.template", root => root.Drop("Resources/AdminCertificate/Properties/DomainValidationOptions") },
        { "a certificate of another name", "infra/network.template", root => root.Set("Resources/AdminCertificate/Properties/DomainName/Fn::Sub", "${DomainName}") },
        { "no access log", "infra/network.template", root => root.At("Resources/AdminBalancer/Properties/LoadBalancerAttributes").AsArray().RemoveAt(1) },
        { "the balancer asks before it may write", "infra/network.template", root => root.Drop("Resources/AdminBalancer/DependsOn") },
        { "nobody may write the access log", "infra/network.template",
            root => root.At("Resources/AdminLogBucketPolicy/Properties/PolicyDocument/Statement").AsArray().RemoveAt(0) },
        { "other accounts' balancers write there", "infra/network.template",
            root => root.Set("Resources/AdminLogBucketPolicy/Properties/PolicyDocument/Statement/0/Resource/Fn::Sub", "${AdminLogBucket.Arn}/*") },
        { "access logs are kept for ever", "infra/network.template", root => root.Drop("Resources/AdminLogBucket/Properties/LifecycleConfiguration") },
        { "access logs may be public", "infra/network.template",
            root => root.Set("Resources/AdminLogBucket/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy", false) },
        { "headers that are none get through", "infra/network.template",
            root => root.Set("Resources/AdminBalancer/Properties/LoadBalancerAttributes/0/Value", "false") },
        { "no firewall before it", "infra/network.template", root => root.Drop("Resources/AdminFirewallAssociation") },
        { "the firewall counts nobody's requests", "infra/network.template", root => root.At("Resources/AdminFirewall/Properties/Rules").AsArray().RemoveAt(0) },
        { "a long session is taken for an attack", "infra/network.template",
            root => root.At("Resources/AdminFirewall/Properties/Rules/3/Statement/ManagedRuleGroupStatement/RuleActionOverrides").AsArray().RemoveAt(1) },
        { "sessions are written to the log", "infra/network.template", root => root.At("Resources/AdminFirewallLog/Properties/RedactedFields").AsArray().RemoveAt(0) },
        { "codes of the sign-in are written to the log", "infra/network.template",
            root => root.At("Resources/AdminFirewallLog/Properties/RedactedFields").AsArray().RemoveAt(1) },
        { "the identity provider is out of reach", "infra/network.template",
            root => root.Set("Resources/AdminSecurityGroup/Properties/SecurityGroupEgress/0/IpProtocol", "icmp") },
        { "no ACL lets it out", "infra/network.template", root => root.Drop("Resources/PublicAclOut100") },
        { "nobody is told that the sign-in fails", "infra/network.template", root => root.Set("Resources/AdminSignInFails/Properties/MetricName", "RequestCount") },
        { "the panel cannot fetch keys", "serverless.template",
            root => root.Set("Resources/AdminPanelFunction/Properties/VpcConfig/SecurityGroupIds/0/Ref", "FunctionsSecurityGroup") },
        { "nobody is asked who they are", "serverless.template", root => root.At("Resources/AdminPanelRule/Properties/Actions").AsArray().RemoveAt(0) },
        { "the sign-in comes after the panel", "serverless.template", root => root.Set("Resources/AdminPanelRule/Properties/Actions/0/Order", 3) },
        { "strangers are let through", "serverless.template",
            root => root.Set("Resources/AdminPanelRule/Properties/Actions/0/AuthenticateOidcConfig/OnUnauthenticatedRequest", "allow") },
        { "a session for a week", "serverless.template",
            root => root.Drop("Resources/AdminPanelRule/Properties/Actions/0/AuthenticateOidcConfig/SessionTimeout") },
        { "the client's secret is in the template", "serverless.template",
            root => root.Set("Resources/AdminPanelRule/Properties/Actions/0/AuthenticateOidcConfig/ClientSecret", "hunter2") },
        { "another name leads to the panel", "serverless.template",
            root => root.Set("Resources/AdminPanelRule/Properties/Conditions/0/HostHeaderConfig/Values/0", "*") },
        { "a header that comes twice is seen once", "serverless.template", root => root.Drop("Resources/AdminPanelTargets/Properties/TargetGroupAttributes") },
        { "callers are led past the alias", "serverless.template",
            root => root.Set("Resources/AdminPanelTargets/Properties/Targets/0/Id", JsonNode.Parse("""{ "Fn::GetAtt": ["AdminPanelFunction", "Arn"] }""")) },
        { "the target is registered before it may be called", "serverless.template", root => root.Drop("Resources/AdminPanelTargets/DependsOn") },
        { "every load balancer may call the panel", "serverless.template", root => root.Drop("Resources/AdminPanelPermission/Properties/SourceArn") },
        { "another target group may call the panel", "serverless.template",
            root => root.Set("Resources/AdminPanelPermission/Properties/SourceArn/Fn::Sub", "arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/*") },
        { "somebody else may call the panel", "serverless.template", root => root.Set("Resources/Other", JsonNode.Parse(
            """{ "Type": "AWS::Lambda::Permission", "Properties": { "Action": "lambda:InvokeFunction", "FunctionName": { "Ref": "AdminPanelFunction" }, "Principal": "events.amazonaws.com" } }""")) },
        { "an API leads to the panel", "serverless.template", root => root.Set("Resources/AdminPanelFunction/Properties/Events", JsonNode.Parse(
            """{ "Panel": { "Type": "HttpApi", "Properties": { "Method": "GET", "Path": "/panel" } } }""")) },
        { "the panel has an address of its own", "serverless.template",
            root => root.Set("Resources/AdminPanelFunction/Properties/FunctionUrlConfig", JsonNode.Parse("""{ "AuthType": "NONE" }""")) },
        { "another balancer's word is taken", "serverless.template",
            root => root.Set("Resources/AdminPanelFunction/Properties/Environment/Variables/OIDC_SIGNER/Ref", "AdminListenerArn") },
        { "another client's visitors are taken", "serverless.template",
            root => root.Set("Resources/AdminPanelFunction/Properties/Environment/Variables/OIDC_CLIENT_ID/Ref", "OidcIssuer") },
        { "keys of another host", "serverless.template",
            root => root.Set("Resources/AdminPanelFunction/Properties/Environment/Variables/OIDC_KEYS_URL/Fn::Sub", "https://keys.example.com") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Findings(Platform.WithPanel(Template.Read(template).With(plant))).Count > 0, $"Nothing found although {error}.");

    private static List<string> Findings(Platform platform)
    {
        var findings = new List<string>();
        void Holds(bool fact, string words)
        {
            if (!fact)
                findings.Add(words);
        }
        DoorIsRight(platform.Hub, Holds);
        LogIsRight(platform.Hub, Holds);
        FirewallIsRight(platform.Hub, Holds);
        RoadsAreOpen(platform, Holds);
        SignInIsRight(platform, Holds);
        NobodyElseCalls(platform.Application, Holds);
        return findings;
    }

    private delegate void Check(bool fact, string words);

    private static void DoorIsRight(Stack hub, Check holds)
    {
        var listener = hub.Properties("AdminListener");
        holds($"{listener["Protocol"]} {listener["Port"]} {listener["SslPolicy"]}" == "HTTPS 443 ELBSecurityPolicy-TLS13-1-3-2021-06", "it speaks TLS 1.3 alone");
        holds(
            listener["DefaultActions"].Many().Select(one => $"{one["Type"]} {one["FixedResponseConfig"]?["StatusCode"]}").SequenceEqual(["fixed-response 404"]),
            "what no rule knows is not found");
        var certificate = hub.Properties("AdminCertificate");
        var proof = certificate["DomainValidationOptions"].Many().FirstOrDefault();
        holds(
            $"{certificate["DomainName"]} {certificate["ValidationMethod"]} {proof?["DomainName"]} {proof?["HostedZoneId"]}" == "admin.example.com DNS admin.example.com Z0123456789",
            "its certificate proves itself in the zone");
        holds((string?)listener["Certificates"]![0]!["CertificateArn"] == hub.IdOf("AdminCertificate"), "it shows that certificate");
        holds(Attribute(hub, "routing.http.drop_invalid_header_fields.enabled") == "true", "headers that are none are dropped");
        var alarm = hub.Properties("AdminSignInFails");
        holds(
            $"{alarm["Namespace"]} {alarm["MetricName"]} {alarm["Dimensions"]![0]!["Value"]}" == $"AWS/ApplicationELB ELBAuthError {hub.IdOf("AdminBalancer")}.LoadBalancerFullName",
            "a sign-in that fails is told");
    }

    private static string? Attribute(Stack hub, string key) =>
        hub.Properties("AdminBalancer")["LoadBalancerAttributes"].Many().SingleOrDefault(one => (string?)one["Key"] == key)?["Value"]?.ToString();

    private static void LogIsRight(Stack hub, Check holds)
    {
        var bucket = hub.Properties("AdminLogBucket");
        holds($"{Attribute(hub, "access_logs.s3.enabled")} {Attribute(hub, "access_logs.s3.bucket")}" == $"true {hub.IdOf("AdminLogBucket")}", "access is written down");
        holds(bucket["LifecycleConfiguration"]?["Rules"].Many().Any(rule => rule["ExpirationInDays"]?.ToString() == "90") is true, "and forgotten");
        holds(bucket["PublicAccessBlockConfiguration"]?.AsObject().Count(one => (bool)one.Value!) == 4 && bucket["BucketEncryption"] is not null, "where nobody reads it");
        holds(hub.Resources["AdminBalancer"]["DependsOn"].Texts().Contains("AdminLogBucketPolicy"), "the balancer may write from the start");
        var statements = hub.Properties("AdminLogBucketPolicy")["PolicyDocument"]!["Statement"].Many().ToList();
        var writer = statements.Where(one => (string?)one["Effect"] == "Allow").ToList();
        holds(
            writer is [var only] && (string?)only["Principal"]!["Service"] == "logdelivery.elasticloadbalancing.amazonaws.com" && (string?)only["Action"] == "s3:PutObject"
                && (string?)only["Resource"] == $"{hub.IdOf("AdminLogBucket")}.Arn/AWSLogs/111111111111/*",
            "this account's balancers write there and nobody else");
        holds(statements.Exists(one => (string?)one["Effect"] == "Deny" && (string?)one["Condition"]?["Bool"]?["aws:SecureTransport"] == "false"), "encrypted on the way");
    }

    private static Dictionary<string, JsonNode> Rules(Stack hub) =>
        hub.Properties("AdminFirewall")["Rules"].Many().ToDictionary(rule => (string)rule["Name"]!);

    private static void FirewallIsRight(Stack hub, Check holds)
    {
        var rules = Rules(hub);
        holds((string?)hub.Properties("AdminFirewall")["Scope"] == "REGIONAL", "the firewall is for load balancers");
        holds(
            hub.OfType("AWS::WAFv2::WebACLAssociation").Any(one => (string?)one.Properties["ResourceArn"] == hub.IdOf("AdminBalancer")
                && (string?)one.Properties["WebACLArn"] == $"{hub.IdOf("AdminFirewall")}.Arn"),
            "it stands before the balancer");
        holds(
            rules.GetValueOrDefault("rate") is { } rate && rate["Action"]!["Block"] is not null
                && rate["Statement"]!["RateBasedStatement"]!["Limit"]!.ToString() == "3000",
            "one address has a limit");
        holds(rules.GetValueOrDefault("declared-size")?["Action"]!["Block"] is not null, "so has a form");
        holds(Managed("known-bad-inputs") == "AWSManagedRulesKnownBadInputsRuleSet" && Managed("common") == "AWSManagedRulesCommonRuleSet", "AWS's rules are there");
        var counted = rules.GetValueOrDefault("common")?["Statement"]!["ManagedRuleGroupStatement"]!["RuleActionOverrides"].Many().Select(one => (string)one["Name"]!).ToHashSet();
        holds(
            counted?.IsSupersetOf(["SizeRestrictions_BODY", "SizeRestrictions_Cookie_HEADER", "SizeRestrictions_QUERYSTRING", "CrossSiteScripting_BODY"]) is true,
            "a session, a sign-in and a form are no attack");
        var log = hub.Properties("AdminFirewallLog");
        holds((string?)log["ResourceArn"] == $"{hub.IdOf("AdminFirewall")}.Arn", "what it blocks is written down");
        holds(
            log["RedactedFields"].Many().Any(one => (string?)one["SingleHeader"]?["Name"] == "cookie") && log["RedactedFields"].Many().Any(one => one["QueryString"] is not null),
            "without sessions and codes");

        string? Managed(string name) => (string?)rules.GetValueOrDefault(name)?["Statement"]!["ManagedRuleGroupStatement"]!["Name"];
    }

    private static void RoadsAreOpen(Platform platform, Check holds)
    {
        var network = platform.Network();
        var landmarks = new Landmarks(platform, network);
        foreach (var zone in Landmarks.Zones)
        {
            var balancer = network.In(platform.Hub, $"PublicSubnet{zone}", "the balancer", 20, platform.Hub.IdOf("AdminSecurityGroup")) with { IsPublic = true };
            holds(network.WhatStops(balancer, IdentityProvider, 443) is null, $"the balancer of zone {zone} reaches the identity provider");
            holds(network.WhatStops(balancer, IdentityProvider, 80) is not null, "encrypted alone");
            holds(
                landmarks.All.Where(place => place.Subnet is not null).All(place => place.Name == "NAT" || network.WhatStops(balancer, place, 443) is not null),
                "and nothing of the hub");
        }
        var panels = landmarks.Named("AdminPanelFunction").ToList();
        holds(panels.Count == 3 && panels.TrueForAll(panel => network.WhatStops(panel, IdentityProvider, 443) is null), "the panel reaches the region's keys by NAT");
        holds(panels.TrueForAll(panel => network.WhatStops(panel, Landmarks.DynamoDb, 443) is null), "and its tables");
    }

    private static void SignInIsRight(Platform platform, Check holds)
    {
        var application = platform.Application;
        var rules = application.OfType("AWS::ElasticLoadBalancingV2::ListenerRule").ToList();
        holds(rules.Count == 1, "there is one rule");
        var rule = rules[0].Properties;
        holds((string?)rule["ListenerArn"] == platform.Hub.IdOf("AdminListener"), "at the hub's listener");
        holds(rule["Conditions"].Many().Select(one => $"{one["Field"]} {string.Join(' ', one["HostHeaderConfig"]?["Values"].Texts() ?? [])}")
            .SequenceEqual(["host-header admin.example.com"]), "for the panel's name");
        var actions = rule["Actions"].Many().OrderBy(one => (int)one["Order"]!).ToList();
        holds(actions.Select(one => (string)one["Type"]!).SequenceEqual(["authenticate-oidc", "forward"]), "first the sign-in, then the panel");
        holds((string?)actions[^1]["TargetGroupArn"] == application.IdOf("AdminPanelTargets"), "which is the function");
        var asked = actions[0]["AuthenticateOidcConfig"];
        holds((string?)asked?["OnUnauthenticatedRequest"] == "authenticate", "nobody comes in unasked");
        holds(((string?)asked?["Scope"])?.Split(' ').Contains("openid") is true, "as OpenID Connect asks");
        holds((int?)asked?["SessionTimeout"] is > 0 and <= 12 * 3600, "and again every working day");
        holds(
            Regex.IsMatch((string?)asked?["ClientSecret"] ?? "", @"\A\{\{resolve:secretsmanager:[^}]+:SecretString:client_secret\}\}\z"), "the client's secret stays where secrets are");
        var told = application.Properties("AdminPanelFunction")["Environment"]!["Variables"]!;
        holds((string?)told["OIDC_SIGNER"] == platform.Hub.IdOf("AdminBalancer"), "the panel takes this balancer's word");
        holds(
            $"{told["OIDC_CLIENT_ID"]} {told["OIDC_ISSUER"]}" == $"{asked?["ClientId"]} {asked?["Issuer"]}", "of this client and this identity provider");
        holds((string?)told["OIDC_KEYS_URL"] == "https://public-keys.auth.elb.us-east-1.amazonaws.com", "by this region's keys");
    }

    private static void NobodyElseCalls(Stack application, Check holds)
    {
        var function = application.Properties("AdminPanelFunction");
        holds(function["Events"] is null && function["FunctionUrlConfig"] is null, "nothing else leads to the panel");
        var targets = application.Properties("AdminPanelTargets");
        var alias = $"{application.IdOf("AdminPanelFunction")}:live";
        holds(
            $"{targets["TargetType"]} {string.Join(' ', targets["Targets"].Many().Select(one => one["Id"]))}" == $"lambda {alias}", "the group's target is the alias");
        holds(
            targets["TargetGroupAttributes"].Many().Any(one => $"{one["Key"]} {one["Value"]}" == "lambda.multi_value_headers.enabled true"), "a header that comes twice is seen twice");
        var permissions = application.OfType("AWS::Lambda::Permission").ToList();
        holds(
            permissions is [{ Properties: var only }] && $"{only["Action"]} {only["FunctionName"]} {only["Principal"]}" == $"lambda:InvokeFunction {alias} elasticloadbalancing.amazonaws.com"
                && (string?)only["SourceArn"] == $"arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/{targets["Name"]}/*",
            "only this group may call it");
        holds(application.Resources["AdminPanelTargets"]["DependsOn"].Texts().SequenceEqual(["AdminPanelPermission"]), "and may before it is asked");
    }
}

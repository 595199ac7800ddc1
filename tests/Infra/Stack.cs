using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ControlPlane.Tests.Infra;

/// <summary>The parameters are refused, as CloudFormation would refuse them.</summary>
internal sealed class StackRefused(string why) : Exception(why);

/// <summary>A template as deployed: parameters checked, conditions decided, every expression replaced by a value that looks like AWS's own.</summary>
internal sealed partial class Stack
{
    private readonly Template _template;
    private readonly Dictionary<string, JsonNode?> _parameters = [];
    private readonly Account _account;

    private Stack(Template template, string name, Account account)
    {
        _template = template;
        _account = account;
        Name = name;
    }

    public string Name { get; }

    /// <summary>What exists: a resource whose condition does not hold is absent.</summary>
    public IReadOnlyDictionary<string, JsonObject> Resources { get; private set; } = new Dictionary<string, JsonObject>();

    /// <summary>Every resource, those too whose condition does not hold now and may hold after an update.</summary>
    public IReadOnlyDictionary<string, JsonObject> Ever => _template.Resources.ToDictionary(one => one.Key, one => Resolve(one.Value)!.AsObject());

    public IReadOnlyDictionary<string, string> Outputs { get; private set; } = new Dictionary<string, string>();

    public static Stack Deploy(Template template, string name, Account account, params (string Name, string Value)[] parameters)
    {
        var stack = new Stack(template, name, account);
        stack.TakeParameters(parameters.ToDictionary(one => one.Name, one => one.Value));
        stack.ObeyRules();
        stack.Resources = template.Resources.Where(one => stack.Exists(one.Value!)).ToDictionary(one => one.Key, one => stack.Resolve(one.Value)!.AsObject());
        stack.Outputs = (template.Root["Outputs"]?.AsObject() ?? []).Where(one => stack.Exists(one.Value!))
            .ToDictionary(one => one.Key, one => stack.Resolve(one.Value!["Value"])!.ToString());
        stack.Publish();
        return stack;
    }

    public IEnumerable<(string Id, JsonObject Properties)> OfType(params string[] types) =>
        Resources.Where(one => types.Contains((string?)one.Value["Type"])).Select(one => (one.Key, one.Value["Properties"]?.AsObject() ?? []));

    public JsonObject Properties(string id) => Resources[id]["Properties"]!.AsObject();

    /// <summary>What <c>Ref</c> gives for a resource: an id of its kind.</summary>
    public string IdOf(string resource)
    {
        var type = (string)_template.Resources[resource]!["Type"]!;
        var prefix = type switch
        {
            "AWS::EC2::VPC" => "vpc-",
            "AWS::EC2::Subnet" => "subnet-",
            "AWS::EC2::SecurityGroup" => "sg-",
            "AWS::EC2::PrefixList" => "pl-",
            "AWS::EC2::RouteTable" => "rtb-",
            "AWS::EC2::VPCPeeringConnection" => "pcx-",
            "AWS::EC2::VPCEndpoint" => "vpce-",
            "AWS::EC2::NetworkInterface" => "eni-",
            "AWS::EC2::InternetGateway" => "igw-",
            "AWS::EC2::NatGateway" => "nat-",
            "AWS::EC2::NetworkAcl" => "acl-",
            "AWS::Serverless::Api" or "AWS::Serverless::HttpApi" => "api",
            "AWS::ElasticLoadBalancingV2::LoadBalancer" => $"{Balancing}:loadbalancer/app/{resource}/",
            "AWS::ElasticLoadBalancingV2::Listener" => $"{Balancing}:listener/app/{resource}/",
            "AWS::ElasticLoadBalancingV2::TargetGroup" => $"{Balancing}:targetgroup/{Resolve(_template.Resources[resource]!["Properties"]!["Name"])}/",
            _ => null,
        };
        return prefix is null ? $"{Name}:{resource}" : prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Name}:{resource}")))[..17];
    }

    private string Balancing => $"arn:aws:elasticloadbalancing:{_account.Region}:{_account.Id}";

    private void TakeParameters(Dictionary<string, string> given)
    {
        foreach (var (name, node) in _template.Root["Parameters"]?.AsObject() ?? [])
        {
            var declared = node!.AsObject();
            if (!given.Remove(name, out var value))
                value = declared["Default"]?.ToString() ?? throw new StackRefused($"{name} has no value.");
            if (declared["AllowedPattern"] is { } pattern && !Regex.IsMatch(value, (string)pattern!))
                throw new StackRefused($"{name} does not match {pattern}.");
            if (declared["AllowedValues"] is { } allowed && !allowed.Texts().Contains(value))
                throw new StackRefused($"{name} is none of its allowed values.");
            if (declared["MinValue"] is { } least && long.Parse(value, CultureInfo.InvariantCulture) < (long)least)
                throw new StackRefused($"{name} is too small.");
            if (declared["MaxValue"] is { } most && long.Parse(value, CultureInfo.InvariantCulture) > (long)most)
                throw new StackRefused($"{name} is too large.");
            _parameters[name] = (string)declared["Type"]! switch
            {
                "CommaDelimitedList" => new JsonArray([.. value.Split(',').Select(item => JsonValue.Create(item))]),
                ['A', 'W', 'S', ':', ':', 'S', 'S', 'M', ..] => _account.Stored(value),
                _ => value,
            };
        }
        if (given.Count > 0)
            throw new StackRefused($"{string.Join(", ", given.Keys)}: no such parameter.");
    }

    private void ObeyRules()
    {
        foreach (var (name, rule) in _template.Root["Rules"]?.AsObject() ?? [])
            if (rule!["RuleCondition"] is not { } when || Holds(when))
                foreach (var assertion in rule["Assertions"]!.AsArray())
                    if (!Holds(assertion!["Assert"]!))
                        throw new StackRefused($"{name}: {assertion["AssertDescription"]}");
    }

    private void Publish()
    {
        foreach (var (_, properties) in OfType("AWS::SSM::Parameter"))
            _account.Parameters[(string)properties["Name"]!] = properties["Value"]!.ToString();
        foreach (var (id, output) in _template.Root["Outputs"]?.AsObject() ?? [])
            if (output!["Export"]?["Name"] is { } export && Exists(output))
                _account.Exports[Resolve(export)!.ToString()] = Outputs[id];
    }

    private bool Exists(JsonNode node) => node["Condition"] is not { } condition || Holds(_template.Root["Conditions"]![(string)condition!]!);

    private bool Holds(JsonNode condition)
    {
        var (name, of) = condition.AsObject().Single();
        return name switch
        {
            "Fn::Equals" => Resolve(of![0])!.ToString() == Resolve(of[1])!.ToString(),
            "Fn::Not" => !Holds(of![0]!),
            "Fn::And" => of!.AsArray().All(one => Holds(one!)),
            "Fn::Or" => of!.AsArray().Any(one => Holds(one!)),
            "Condition" => Holds(_template.Root["Conditions"]![(string)of!]!),
            _ => throw new NotSupportedException(name),
        };
    }

    private JsonNode? Resolve(JsonNode? node)
    {
        switch (node)
        {
            case JsonArray list:
                return new JsonArray([.. list.Select(Resolve).Where(item => item is not null)]);
            case JsonObject { Count: 1 } expression when expression.First() is var (name, of) && (
                name == "Ref" || name.StartsWith("Fn::", StringComparison.Ordinal)):
                return Evaluate(name, of!);
            case JsonObject map:
                var resolved = new JsonObject();
                foreach (var (key, value) in map)
                    if (Resolve(value) is { } kept)
                        resolved[key] = kept;
                return resolved;
            default:
                return node?.DeepClone();
        }
    }

    private JsonNode? Evaluate(string name, JsonNode of) => name switch
    {
        "Ref" => Reference((string)of!),
        "Fn::GetAtt" => Attribute((string)of[0]!, (string)of[1]!),
        "Fn::Sub" when of is JsonArray parts => Substitute((string)parts[0]!, parts[1]!.AsObject()),
        "Fn::Sub" => Substitute((string)of!, []),
        "Fn::Join" => string.Join((string)of[0]!, Resolve(of[1]).Texts()),
        "Fn::Select" => Resolve(of[1])![int.Parse(of[0]!.ToString(), CultureInfo.InvariantCulture)]!.DeepClone(),
        "Fn::Split" => new JsonArray([.. Resolve(of[1])!.ToString().Split((string)of[0]!).Select(part => JsonValue.Create(part))]),
        "Fn::FindInMap" => _template.Root["Mappings"]![(string)of[0]!]![Resolve(of[1])!.ToString()]?[(string)of[2]!]?.DeepClone() ?? throw new StackRefused(
            $"{of[0]} knows no {Resolve(of[1])}."),
        "Fn::If" => Resolve(Holds(new JsonObject { ["Condition"] = (string)of[0]! }) ? of[1] : of[2]),
        "Fn::ImportValue" => _account.Exports[Resolve(of)!.ToString()],
        "Fn::Base64" => Resolve(of),
        _ => throw new NotSupportedException(name),
    };

    private JsonNode? Reference(string name) => name switch
    {
        "AWS::NoValue" => null,
        "AWS::Region" => _account.Region,
        "AWS::AccountId" => _account.Id,
        "AWS::Partition" => "aws",
        "AWS::URLSuffix" => "amazonaws.com",
        "AWS::StackName" => Name,
        "AWS::StackId" => $"arn:aws:cloudformation:{_account.Region}:{_account.Id}:stack/{Name}/0",
        _ when _parameters.TryGetValue(name, out var value) => value!.DeepClone(),
        _ when _template.Resources[name] is { } record && (string?)record["Type"] == "AWS::Route53::RecordSet" => Resolve(record["Properties"]!["Name"]),
        _ when _template.Resources.ContainsKey(name) => IdOf(name),
        _ when StageOf(name) is { } stage => stage,
        [.. var function, '.', 'A', 'l', 'i', 'a', 's'] when (string?)_template.Resources[function]?["Type"] == "AWS::Serverless::Function" =>
            $"{IdOf(function)}:{_template.Root["Globals"]!["Function"]!["AutoPublishAlias"]}",
        _ => throw new StackRefused($"Nothing is called {name}."),
    };

    // SAM makes a stage for each API and names it by rule.
    private string? StageOf(string name) => _template.OfType("AWS::Serverless::HttpApi", "AWS::Serverless::Api")
        .Select(api => (Name: (string)api.Resource["Properties"]!["StageName"]!, Http: (string)api.Resource["Type"]! == "AWS::Serverless::HttpApi", api.Id))
        .Where(api => name == (api.Http ? $"{api.Id}ApiGatewayDefaultStage" : $"{api.Id}{api.Name}Stage"))
        .Select(api => api.Name)
        .SingleOrDefault();

    private JsonNode Attribute(string resource, string attribute)
    {
        if (!_template.Resources.ContainsKey(resource))
            throw new StackRefused($"Nothing is called {resource}.");
        return attribute switch
        {
            "DnsEntries" => new JsonArray($"Z0:{IdOf(resource)}.example"),
            "CidrBlock" => Resolve(_template.Resources[resource]!["Properties"]![attribute])!,
            _ => $"{IdOf(resource)}.{attribute}",
        };
    }

    private string Substitute(string text, JsonObject own) => Placeholder().Replace(text, match => match.Groups[1].Value switch
    {
        var name when own.TryGetPropertyValue(name, out var value) => Resolve(value)!.ToString(),
        var name when name.Contains('.') => Attribute(name[..name.IndexOf('.')], name[(name.IndexOf('.') + 1)..]).ToString(),
        var name => Reference(name)!.ToString(),
    });

    [GeneratedRegex(@"\$\{([^!}][^}]*)\}")]
    private static partial Regex Placeholder();
}

/// <summary>An account in a region: what one stack publishes there and the next one reads.</summary>
internal sealed class Account(string id, string region = "us-east-1")
{
    public string Id => id;

    public string Region => region;

    public Dictionary<string, string> Parameters { get; } = [];

    public Dictionary<string, string> Exports { get; } = [];

    /// <summary>AWS's own parameters are there from the start; the platform's are published by its stacks.</summary>
    public string Stored(string name) => name.StartsWith("/aws/service/", StringComparison.Ordinal) ? "ami-0123456789abcdef0"
        : Parameters.TryGetValue(name, out var value) ? value
        : throw new StackRefused($"{name} is not published in {region}.");
}

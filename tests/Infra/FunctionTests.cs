using System.Reflection;
using System.Text.Json.Nodes;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using ControlPlane.Configuration;

namespace ControlPlane.Tests.Infra;

/// <summary>These tests set environment variables, which belong to the whole process.</summary>
[CollectionDefinition(nameof(ProcessEnvironment), DisableParallelization = true)]
public sealed class ProcessEnvironment;

/// <summary>Template and code say the same: routes by their attributes, settings by reading them.</summary>
[Collection(nameof(ProcessEnvironment))]
public sealed class FunctionTests
{
    private static readonly string[] Assemblies = ["SlackHandler", "Orchestrator", "DpDispatcher", "MeteringCollector", "AdminPanel"];

    private static readonly string[] SetByLambda = ["_HANDLER", "AWS_REGION"];

    [Fact]
    public void The_templates_routes_are_the_codes_attributes() => Assert.Empty(RouteDifferences(Template.Read("serverless.template")));

    [Fact]
    public void Every_function_finds_each_setting_it_reads_and_no_other() => Assert.Empty(SettingDifferences(Template.Read("serverless.template")));

    [Fact]
    public void No_function_waits_for_an_AWS_service_as_long_as_the_SDK_does() => Assert.DoesNotContain(
        Assemblies.Select(name => Path.Combine("functions", name, "Program.cs")).Append("shared/Aws/SecretsManagerSource.cs")
            .Select(file => File.ReadAllText(Path.Combine(Support.RepositoryRoot.Find(), file))),
        program => System.Text.RegularExpressions.Regex.IsMatch(program, """Amazon(SecretsManager|DynamoDB|SQS)Client\(\)"""));

    public static TheoryData<string, Action<JsonObject>> PlantedRoutes => new()
    {
        { "a route is missing", root => root.Drop("Resources/SlackCommandsFunction/Properties/Events/Commands") },
        { "a route has another method", root => root.Set("Resources/HeartbeatsFunction/Properties/Events/Heartbeat/Properties/Method", "PUT") },
        { "a route has another path", root => root.Set("Resources/JwksFunction/Properties/Events/Jwks/Properties/Path", "/tenants/{tenant_id}/keys") },
        { "a private route on the public API", root => root.Set("Resources/HeartbeatsFunction/Properties/Events/Heartbeat/Type", "HttpApi") },
        { "a route that no code answers", root => root.At("Resources/SlackCommandsFunction/Properties/Events").Set("Admin",
            JsonNode.Parse("""{ "Type": "HttpApi", "Properties": { "Method": "GET", "Path": "/admin" } }""")) },
        { "a function of another name",
            root => { root.Set("Resources/Keys", root.At("Resources/JwksFunction").DeepClone()); root.Drop("Resources/JwksFunction"); } },
    };

    [Theory]
    [MemberData(nameof(PlantedRoutes), DisableDiscoveryEnumeration = true)]
    public void A_planted_route_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(RouteDifferences(Template.Read("serverless.template").With(plant)).Count > 0, $"Nothing found although {error}.");

    public static TheoryData<string, Action<JsonObject>> PlantedSettings => new()
    {
        { "a setting is missing", root => root.Drop("Resources/DispatchFunction/Properties/Environment/Variables/QUOTAS_TABLE") },
        { "a setting has a typing error", root => { root.Drop("Resources/JwksFunction/Properties/Environment/Variables/CONTROL_PLANE_URL"); root.Set("Resources/JwksFunction/Properties/Environment/Variables/CONTROLPLANE_URL", "https://api.example.com"); } },
        { "a setting that no code reads", root => root.Set("Resources/JwksFunction/Properties/Environment/Variables/COLOUR", "blue") },
        { "a limit that is no number", root => root.Set("Resources/SlackCommandsFunction/Properties/Environment/Variables/RATE_LIMIT_PER_USER", "many") },
        { "the panel is not told whose word it takes", root => root.Drop("Resources/AdminPanelFunction/Properties/Environment/Variables/OIDC_SIGNER") },
        { "the panel has roles that are none", root => root.Set("Resources/AdminPanelFunction/Properties/Environment/Variables/OIDC_ROLES", "ops") },
        { "an empty setting", root => root.Set("Resources/DispatchFunction/Properties/Environment/Variables/QUOTAS_TABLE", " ") },
    };

    [Theory]
    [MemberData(nameof(PlantedSettings), DisableDiscoveryEnumeration = true)]
    public void A_planted_setting_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(SettingDifferences(Template.Read("serverless.template").With(plant)).Count > 0, $"Nothing found although {error}.");

    private static List<string> RouteDifferences(Template template)
    {
        var handlers = Assemblies.SelectMany(name => Assembly.Load(name).GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static))
            .Select(method => (Method: method, Resource: method.GetCustomAttribute<LambdaFunctionAttribute>()?.ResourceName))
                .Where(one => one.Resource is not null).ToList();
        var inCode = handlers.SelectMany(one => RoutesOf(one.Method).Select(route => $"{one.Resource} {route}")).ToHashSet();
        var inTemplate = template.OfType("AWS::Serverless::Function").SelectMany(function => (function.Resource["Properties"]!["Events"]?.AsObject() ?? [])
                .Where(one => (string?)one.Value!["Type"] is "HttpApi" or "Api")
                .Select(one => $"{function.Id} {one.Value!["Type"]} {one.Value["Properties"]!["Method"]} {one.Value["Properties"]!["Path"]}")).ToHashSet();
        var functions = template.OfType("AWS::Serverless::Function").Select(one => one.Id).ToHashSet();
        return
        [
            .. inCode.Except(inTemplate).Select(route => $"the template lacks {route}"),
            .. inTemplate.Except(inCode).Select(route => $"no code answers {route}"),
            .. handlers.Select(one => one.Resource!).Distinct().Except(functions).Select(name => $"the template lacks {name}"),
            .. functions.Except(handlers.Select(one => one.Resource!)).Select(name => $"no code is {name}"),
        ];
    }

    private static IEnumerable<string> RoutesOf(MethodInfo method) =>
    [
        .. method.GetCustomAttributes<HttpApiAttribute>().Select(route => $"HttpApi {route.Method.ToString().ToUpperInvariant()} {route.Template}"),
        .. method.GetCustomAttributes<RestApiAttribute>().Select(route => $"Api {route.Method.ToString().ToUpperInvariant()} {route.Template}"),
    ];

    /// <summary>A function is content when one of its project's settings reads from exactly its environment: with all of it, and with nothing of it taken
    /// away.</summary>
    private static List<string> SettingDifferences(Template template)
    {
        var differences = new List<string>();
        foreach (var (id, function) in Platform.WithPanel(template).Application.OfType("AWS::Serverless::Function"))
        {
            var environment = function["Environment"]!["Variables"]!.AsObject().ToDictionary(one => one.Key, one => AsAt(one.Key, one.Value!.ToString()));
            var loaders = LoadersOf(((string)function["CodeUri"]!)["functions/".Length..]);
            if (!loaders.Any(loader => Fault(loader, environment) is null
                && environment.Keys.All(name => Fault(loader, environment, without: name) is not null)))
                differences.Add($"{id}: {string.Join("; ", loaders.Select(loader => $"{loader.DeclaringType!.Name}: {Fault(loader, environment) ?? "reads less than it is given"}"))}");
        }
        return differences;
    }

    // A queue's reference is its address.
    private static string AsAt(string name, string value) =>
        name.EndsWith("_QUEUE_URL", StringComparison.Ordinal) || name.EndsWith("_DEAD_LETTERS_URL", StringComparison.Ordinal)
            ? $"https://sqs.us-east-1.amazonaws.com/123456789012/{value}" : value;

    private static List<MethodInfo> LoadersOf(string project) =>
        [.. Assembly.Load(project).GetTypes().Where(type => type.Name.EndsWith("Settings", StringComparison.Ordinal))
            .Select(type => type.GetMethod("Load", BindingFlags.Public | BindingFlags.Static, []) ?? type.GetMethod("Read",
                BindingFlags.Public | BindingFlags.Static, [])).OfType<MethodInfo>()];

    private static string? Fault(MethodInfo loader, Dictionary<string, string> environment, string? without = null)
    {
        var before = Environment.GetEnvironmentVariables();
        try
        {
            foreach (var name in before.Keys.Cast<string>().Where(IsASetting))
                Environment.SetEnvironmentVariable(name, null);
            foreach (var (name, value) in environment.Where(one => one.Key != without))
                Environment.SetEnvironmentVariable(name, value);
            Environment.SetEnvironmentVariable("AWS_REGION", "us-east-1");
            loader.Invoke(null, null);
            return null;
        }
        catch (TargetInvocationException e) when (e.InnerException is SettingException missing)
        {
            return missing.Message;
        }
        finally
        {
            foreach (var name in environment.Keys.Append("AWS_REGION"))
                Environment.SetEnvironmentVariable(name, (string?)before[name]);
            foreach (var name in before.Keys.Cast<string>().Where(IsASetting))
                Environment.SetEnvironmentVariable(name, (string?)before[name]);
        }
    }

    private static bool IsASetting(string name) =>
        !SetByLambda.Contains(name) && (name.EndsWith("_TABLE", StringComparison.Ordinal) || name.EndsWith("_QUEUE_URL", StringComparison.Ordinal)
            || name.EndsWith("_DEAD_LETTERS_URL", StringComparison.Ordinal) || name.StartsWith("OIDC_", StringComparison.Ordinal)
            || name.EndsWith("_SECRET_ID", StringComparison.Ordinal) || name is "CONTROL_PLANE_URL" or "OUTCOMES_URL" or "CONNECT_ROUTES");
}

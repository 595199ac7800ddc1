using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Infra;

/// <summary>What <c>dotnet lambda deploy-serverless</c> stumbles over, and what it is told.</summary>
public sealed class DeploymentTests
{
    private static readonly string[] Functions =
        ["functions/SlackHandler", "functions/Orchestrator", "functions/DpDispatcher", "functions/MeteringCollector", "functions/AdminPanel"];

    [Fact]
    public void The_template_is_one_that_the_tool_can_deploy() => Assert.Empty(Findings(Template.Read("serverless.template")));

    [Fact]
    public void Every_parameter_of_the_application_has_a_value_without_typing() =>
        Assert.All(Template.Read("serverless.template").Root["Parameters"]!.AsObject(), parameter => Assert.NotNull(parameter.Value!["Default"]));

    /// <summary>On an update the tool sends the old value of every parameter: a default that follows the commit would never arrive.</summary>
    [Fact]
    public void No_parameter_carries_a_version() =>
        Assert.DoesNotContain(
            Template.Read("serverless.template").Root["Parameters"]!.AsObject(), parameter => Version.TryParse(parameter.Value!["Default"]!.ToString(), out _));

    [Fact]
    public void The_tool_finds_the_template_and_is_told_the_rest() =>
        Assert.Equal("serverless.template", (string?)Defaults("aws-lambda-tools-defaults.json")["template"]);

    /// <summary>The tool sends the tags that its file names, and on an update those of before where it names none. infra/rehearse looks at stacks.</summary>
    [Fact]
    public void The_application_carries_the_tag_that_splits_the_bill()
    {
        var tags = (string)Defaults("aws-lambda-tools-defaults.json")["tags"]!;
        Assert.Contains($"tags=\"{tags}\"", File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "infra", "README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_function_is_built_for_the_template_it_is_deployed_by() =>
        Assert.All(Functions, folder =>
        {
            var defaults = Defaults($"{folder}/aws-lambda-tools-defaults.json");
            Assert.Equal("provided.al2023", (string?)defaults["function-runtime"]);
            Assert.Equal(
                Template.Read("serverless.template").Root["Globals"]!["Function"]!["Architectures"]![0]!.ToString(),
                (string?)defaults["function-architecture"]);
            Assert.Equal("-p:OfficialAwsPackages=true -p:SelfContained=true", (string?)defaults["msbuild-parameters"]);
            Assert.True((bool?)defaults["use-container-for-build"]);
        });

    [Fact]
    public void A_first_deployment_that_fails_leaves_nothing_that_stops_the_next() =>
        Assert.Empty(Template.All.SelectMany(name => LeftBehind(Template.Read(name))));

    [Theory]
    [InlineData("serverless.template", "Resources/TenantsTable")]
    [InlineData("infra/edge.template", "Resources/FirewallLogGroup")]
    [InlineData("infra/backup.template", "Resources/StateBucket")]
    public void What_a_failed_deployment_would_leave_is_found(string template, string resource) =>
        Assert.NotEmpty(LeftBehind(Template.Read(template).With(root => root.Set($"{resource}/DeletionPolicy", "Retain"))));

    [Fact]
    public void New_code_that_fails_is_taken_back() => Assert.Empty(Unguarded(Template.Read("serverless.template")));

    public static TheoryData<string, Action<JsonObject>> PlantedHaste => new()
    {
        { "new code gets every call at once", root => root.Drop("Resources/JwksFunction/Properties/DeploymentPreference") },
        { "callers are led past the alias", root => root.Drop("Globals/Function/AutoPublishAlias") },
        { "another function's alarm", root => root.Set("Resources/JwksFunction/Properties/DeploymentPreference/Alarms/0/Ref", "OutcomesErrors") },
        { "all calls are moved before the alarm has looked once",
            root => root.Set("Resources/JwksFunction/Properties/DeploymentPreference/Type", "Canary10Percent5Minutes") },
        { "a deployment of a function that is not there", root => root.Drop("Resources/AdminPanelFunction/Properties/DeploymentPreference/PassthroughCondition") },
        { "an alarm that is up stops the deployment that would end it",
            root => root.Set("Resources/JwksFunction/Properties/DeploymentPreference/Enabled", true) },
    };

    [Theory]
    [MemberData(nameof(PlantedHaste), DisableDiscoveryEnumeration = true)]
    public void Planted_haste_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(Unguarded(Template.Read("serverless.template").With(plant)).Any(), $"Nothing found although {error}.");

    public static TheoryData<string, Action<JsonObject>> PlantedErrors => new()
    {
        { "the runtime is an expression", root => root.Set("Globals/Function/Runtime", JsonNode.Parse("""{ "Ref": "AWS::Region" }""")) },
        { "there are two architectures", root => root.At("Globals/Function/Architectures").AsArray().Add("arm64") },
        { "the code is nowhere", root => root.Set("Resources/JwksFunction/Properties/CodeUri", "functions/Jwks") },
        { "the code is inline", root => root.At("Resources/JwksFunction/Properties").Set("InlineCode", "exit 0") },
        { "a stack in the stack", root => root.Set("Resources/Nested",
            JsonNode.Parse("""{ "Type": "AWS::CloudFormation::Stack", "Properties": { "TemplateURL": "infra/network.template" } }""")) },
        { "a handler that the code does not know", root => root.Set("Resources/JwksFunction/Properties/Handler", "Orchestrator::Jwks") },
        { "an expression that a local run cannot read",
            root => root.Set("Resources/JwksFunction/Properties/Environment/Variables/CONTROL_PLANE_URL", JsonNode.Parse("""{ "Fn::ImportValue": "url" }""")) },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(Findings(Template.Read("serverless.template").With(plant)).Any(), $"Nothing found although {error}.");

    private static IEnumerable<string> Findings(Template template)
    {
        var globals = template.Root["Globals"]!["Function"]!;
        if (globals["Runtime"] is not JsonValue || globals["Architectures"] is not JsonArray { Count: 1 })
            yield return "the tool wants one literal runtime and architecture";
        foreach (var (id, resource) in template.Resources)
            if ((string?)resource!["Type"] is "AWS::CloudFormation::Stack" or "AWS::Serverless::Application")
                yield return $"{id}: the tool does not upload nested stacks";
        foreach (var (id, function) in template.OfType("AWS::Serverless::Function"))
        {
            var properties = function["Properties"]!;
            if (properties["InlineCode"] is not null)
                yield return $"{id}: the tool stops at inline code";
            if (!Functions.Contains((string?)properties["CodeUri"]))
                yield return $"{id}: no project at {properties["CodeUri"]}";
            // The word that Program.cs switches on.
            if ((string?)properties["Handler"] is not { } handler || !handler.All(letter => letter is (>= 'a' and <= 'z') or '-'))
                yield return $"{id}: {properties["Handler"]} is no entry point";
            foreach (var (name, value) in properties["Environment"]!["Variables"]!.AsObject())
                if (!IsSimple(value!))
                    yield return $"{id}: {name} needs more than Ref, Fn::GetAtt, Fn::Sub and Fn::If";
        }
    }

    private static IEnumerable<string> Unguarded(Template template)
    {
        if ((string?)template.Root["Globals"]!["Function"]!["AutoPublishAlias"] is null)
            yield return "no alias: every caller reaches the newest code";
        foreach (var (id, function) in template.OfType("AWS::Serverless::Function"))
        {
            var preference = function["Properties"]!["DeploymentPreference"];
            if ((string?)(preference?["Enabled"] as JsonObject)?["Ref"] != "GuardedRollout")
                yield return $"{id}: nothing guards its deployment, or nobody can lift the guard";
            // SAM's deployment group is there whatever the function's condition says, unless it is told.
            if (function["Condition"] is not null && (bool?)preference?["PassthroughCondition"] is not true)
                yield return $"{id}: its deployment group is there without it";
            var alarms = preference?["Alarms"].Many().Select(one => template.Resources[(string)one["Ref"]!]!["Properties"]!).ToList() ?? [];
            if (!alarms.Exists(one => (string?)one["MetricName"] == "Errors" && (string?)one["Dimensions"]?[0]?["Value"]?["Ref"] == id))
                yield return $"{id}: its errors do not take its deployment back";
            // CodeDeploy looks at an alarm while it moves calls, and an alarm looks back a period:
            // https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html
            var minutes = Regex.Match((string?)preference?["Type"] ?? "", "^Canary10Percent([0-9]+)Minutes$").Groups[1].Value;
            if (minutes.Length == 0 || alarms.Exists(one => int.Parse(minutes, CultureInfo.InvariantCulture) * 60 < 2 * (int)one["Period"]!))
                yield return $"{id}: the canary ends before an alarm has seen it for a whole period";
        }
    }

    // Retain keeps what a rolled-back create made, and the next create finds its name taken.
    private static IEnumerable<string> LeftBehind(Template template) =>
        template.Resources.Where(one => (string?)one.Value!["DeletionPolicy"] == "Retain").Select(one => $"{template.Name}: {one.Key}");

    // The local control plane reads the same file, and understands no more than this.
    private static bool IsSimple(JsonNode value) =>
        value is JsonValue || (value is JsonObject { Count: 1 } expression && expression.First() is var (name, of) && name switch
        {
            "Ref" or "Fn::GetAtt" or "Fn::Sub" => true,
            "Fn::If" => of!.AsArray().Skip(1).All(branch => IsSimple(branch!)),
            _ => false,
        });

    private static JsonNode Defaults(string path) => JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), path)))!;
}

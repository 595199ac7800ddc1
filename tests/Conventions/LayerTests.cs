using ArchUnitNET.Fluent.Slices;
using ArchUnitNET.Loader;
using Assembly = System.Reflection.Assembly;

namespace ControlPlane.Tests.Conventions;

/// <summary>The direction in which one part may know another, read from what was compiled.</summary>
public sealed class LayerTests
{
    private static readonly string[] Products =
    [
        "ControlPlane.Domain", "ControlPlane.Timetables", "ControlPlane.Tokens", "ControlPlane.Aws", "SlackHandler", "Orchestrator", "DpDispatcher", "MeteringCollector",
        "AdminPanel", "ControlPlane.Administration", "ControlPlane.Operator", "ControlPlane.Local", "metering-sidecar", "ControlPlane.Capacity",
    ];

    public static TheoryData<string> AllProducts => [.. Products];

    [Fact]
    public void The_domain_knows_no_package()
    {
        var known = Assembly.Load("ControlPlane.Domain").GetReferencedAssemblies().Select(name => name.Name!);

        Assert.All(known, name => Assert.StartsWith("System.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void Tokens_know_no_AWS()
    {
        var known = Assembly.Load("ControlPlane.Tokens").GetReferencedAssemblies().Select(name => name.Name!);

        Assert.DoesNotContain(known, name => name.StartsWith("AWSSDK", StringComparison.Ordinal) || name is "AwsCompat" or "ControlPlane.Aws");
    }

    /// <summary>Functions meet AWS where they are wired (Program), where events come in and go out (Function, Json, Reply), and in a few more types.</summary>
    [Theory]
    [InlineData("SlackHandler"), InlineData("Orchestrator"), InlineData("DpDispatcher"), InlineData("MeteringCollector"), InlineData("AdminPanel")]
    public void Use_cases_know_no_package_of_AWS(string function)
    {
        string[] wiring = ["Program", "CommandClients", "MessagePauses", "PrivateDoor", "Hub"];
        var architecture = new ArchLoader().LoadAssemblies(Assembly.Load(function)).Build();

        var strays =
            from type in architecture.Types
            where type.FullName.StartsWith("ControlPlane.", StringComparison.Ordinal)
            let name = type.FullName.Split('.')[^1].Split('+', '/', '`')[0]
            where !wiring.Contains(name) && !name.EndsWith("Function", StringComparison.Ordinal) && !name.EndsWith("Json", StringComparison.Ordinal)
            from dependency in type.Dependencies
            where dependency.Target.FullName.StartsWith("Amazon.", StringComparison.Ordinal)
            select $"{type.FullName} → {dependency.Target.FullName}";

        Assert.Empty(strays.Distinct());
    }

    /// <summary>A namespace that needs another which needs it is one room with a wall in the middle.</summary>
    [Theory, MemberData(nameof(AllProducts))]
    public void No_namespaces_know_each_other_in_a_circle(string product)
    {
        var architecture = new ArchLoader().LoadAssemblies(Assembly.Load(product)).Build();

        var rule = SliceRuleDefinition.Slices().Matching("ControlPlane.(**)").Should().BeFreeOfCycles();

        Assert.True(
            rule.HasNoViolations(architecture),
            string.Join("\n", rule.Evaluate(architecture).Where(result => !result.Passed).Select(result => result.Description)));
    }
}

using System.Text.Json;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Tenants;

/// <summary>What a parameter takes of what was typed, and of what came as JSON.</summary>
public sealed class ParameterValueTests
{
    private static readonly WorkflowParameter City = new("city", ParameterType.String, MaxLength: 5);
    private static readonly WorkflowParameter Days = new("days", ParameterType.Integer, Minimum: -1, Maximum: 14);
    private static readonly WorkflowParameter Ratio = new("ratio", ParameterType.Number, Minimum: -0.5, Maximum: 2);
    private static readonly WorkflowParameter Dry = new("dry", ParameterType.Boolean);
    private static readonly WorkflowParameter Size = new("size", ParameterType.Enum, Values: ["small", "large"]);

    public static TheoryData<WorkflowParameter, string, string?> Typed => new()
    {
        { City, "Basel", "\"Basel\"" }, { City, "Zurich", null }, { City, "", "\"\"" }, { City with { MaxLength = null }, "Zurich", "\"Zurich\"" },
        { Days, "14", "14" }, { Days, "-1", "-1" }, { Days, "+3", "3" }, { Days, "15", null }, { Days, "-2", null }, { Days, "3.0", null }, { Days, "", null },
        { Days with { Minimum = null, Maximum = null }, "9007199254740991", "9007199254740991" },
        { Days with { Minimum = null, Maximum = null }, "9007199254740992", null },
        { Days with { Minimum = null, Maximum = null }, "-9007199254740991", "-9007199254740991" },
        { Ratio, "2", "2" }, { Ratio, "-0.5", "-0.5" }, { Ratio, "2.000001", null }, { Ratio, "-0.51", null }, { Ratio, "1e-1", "0.1" }, { Ratio, "1,5", null },
        { Ratio with { Minimum = null, Maximum = null }, "1e308", "1E+308" }, { Ratio with { Minimum = null, Maximum = null }, "1e309", null },
        { Ratio with { Minimum = null, Maximum = null }, "-1.5", "-1.5" }, { Ratio with { Minimum = null, Maximum = null }, "NaN", null },
        { Dry, "yes", "true" }, { Dry, "TRUE", "true" }, { Dry, "No", "false" }, { Dry, "false", "false" }, { Dry, "1", null }, { Dry, "", null },
        { Size, "small", "\"small\"" }, { Size, "Small", null }, { Size, "", null }, { Size with { Values = null }, "small", null },
    };

    [Theory, MemberData(nameof(Typed))]
    public void What_was_typed_gets_the_declared_type(WorkflowParameter parameter, string text, string? json) =>
        Assert.Equal(json, ParameterValue.Read(parameter, text)?.GetRawText());

    public static TheoryData<WorkflowParameter, string, string?> Json => new()
    {
        { City, "\"Basel\"", "\"Basel\"" }, { City, "5", null }, { City, "null", null }, { City, "true", null }, { City, "\"\\ud800\"", null },
        { Days, "14", "14" }, { Days, "\"14\"", "14" }, { Days, "15", null }, { Days, "1.0", null }, { Days, "true", null }, { Days, "[1]", null },
        { Days with { Maximum = null }, "9007199254740992", null }, { Days with { Maximum = null }, "9007199254740991", "9007199254740991" },
        { Ratio, "1.25", "1.25" }, { Ratio, "\"1.25\"", "1.25" }, { Ratio, "2.5", null }, { Ratio with { Maximum = null }, "1e400", null }, { Ratio, "false", null },
        { Dry, "true", "true" }, { Dry, "false", "false" }, { Dry, "\"yes\"", "true" }, { Dry, "\"no\"", "false" }, { Dry, "1", null }, { Dry, "null", null },
        { Size, "\"large\"", "\"large\"" }, { Size, "\"huge\"", null }, { Size, "1", null },
    };

    [Theory, MemberData(nameof(Json))]
    public void What_came_as_JSON_has_to_be_of_the_type(WorkflowParameter parameter, string given, string? json) =>
        Assert.Equal(json, ParameterValue.Read(parameter, JsonElement.Parse(given))?.GetRawText());

    [Theory]
    [InlineData(ParameterType.Integer, "14", 14.0), InlineData(ParameterType.Integer, "1.5", null), InlineData(ParameterType.Number, "1.5", 1.5)]
    [InlineData(ParameterType.Number, "x", null), InlineData(ParameterType.String, "14", null), InlineData(ParameterType.Boolean, "1", null)]
    public void A_bound_is_a_number_of_the_parameters_kind(ParameterType type, string text, double? bound) =>
        Assert.Equal(bound, ParameterValue.ReadBound(type, text));
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ControlPlane.Local.Template;

/// <summary>Turns the template's expressions into the text they have on this machine.</summary>
/// <param name="references">What <c>Ref</c> gives for a resource or parameter; parameters not named here have the template's defaults.</param>
/// <param name="attributes">What <c>Fn::GetAtt</c> gives for <c>Resource.Attribute</c>.</param>
internal sealed partial class TemplateValues(
    TemplateReader template, IReadOnlyDictionary<string, string> references, IReadOnlyDictionary<string, string> attributes)
{
    private static readonly Dictionary<string, string> Pseudo = new()
    {
        ["AWS::Region"] = "us-east-1",
        ["AWS::AccountId"] = "000000000000",
        ["AWS::Partition"] = "aws",
        ["AWS::StackName"] = "local",
        ["AWS::URLSuffix"] = "amazonaws.com",
    };

    /// <exception cref="FormatException">The expression names something that is not there, or is of a kind the local control plane does not know.</exception>
    public string Resolve(JsonNode? value) => value switch
    {
        null => "",
        JsonValue plain => plain.ToString(),
        JsonObject { Count: 1 } function => function.First() switch
        {
            ("Ref", { } name) => Reference((string)name!),
            ("Fn::GetAtt", JsonArray path) => Attribute($"{path[0]}.{path[1]}"),
            ("Fn::Sub", JsonValue text) => Substitute((string)text!, new JsonObject()),
            ("Fn::Sub", JsonArray { Count: 2 } parts) => Substitute((string)parts[0]!, (JsonObject)parts[1]!),
            ("Fn::Join", JsonArray parts) => string.Join((string)parts[0]!, ((JsonArray)parts[1]!).Select(Resolve)),
            ("Fn::If", JsonArray parts) => Resolve(Holds(template.Conditions[(string)parts[0]!]) ? parts[1] : parts[2]),
            var (name, _) => throw new FormatException($"{name} is not known to the local control plane."),
        },
        _ => throw new FormatException($"{value.ToJsonString()} is not an expression."),
    };

    private bool Holds(JsonNode? condition) => condition is JsonObject { Count: 1 } function
        ? function.First() switch
        {
            ("Fn::Equals", JsonArray parts) => Resolve(parts[0]) == Resolve(parts[1]),
            ("Fn::Not", JsonArray parts) => !Holds(parts[0]),
            ("Fn::And", JsonArray parts) => parts.All(Holds),
            ("Fn::Or", JsonArray parts) => parts.Any(Holds),
            ("Condition", { } name) => Holds(template.Conditions[(string)name!]),
            var (name, _) => throw new FormatException($"{name} is not known to the local control plane."),
        }
        : throw new FormatException("A condition is missing.");

    private string Reference(string name)
    {
        if (references.TryGetValue(name, out var local) || Pseudo.TryGetValue(name, out local))
            return local;
        return template.Parameters.TryGetValue(name, out var standard) ? standard ?? "" : throw new FormatException($"Nothing here is called {name}.");
    }

    private string Attribute(string path) => attributes.TryGetValue(path, out var local) ? local : throw new FormatException($"Nothing here has a {path}.");

    private string Substitute(string text, JsonObject own) => Placeholder().Replace(text, match => match.Groups[1].Value switch
    {
        ['!', .. var literal] => $"${{{literal}}}",
        var name when own.TryGetPropertyValue(name, out var value) => Resolve(value),
        var name when name.Contains('.') => Attribute(name),
        var name => Reference(name),
    });

    [GeneratedRegex(@"\$\{([^}]+)\}")]
    private static partial Regex Placeholder();
}

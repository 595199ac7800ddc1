using Amazon.DynamoDBv2.Model;

namespace ControlPlane.Peers;

/// <summary>What an item is made of, whatever it says.</summary>
internal static class Shape
{
    public static string Of(Dictionary<string, AttributeValue> item) =>
        string.Join(' ', item.OrderBy(attribute => attribute.Key, StringComparer.Ordinal).Select(attribute => $"{attribute.Key}:{TypeOf(attribute.Value)}"));

    private static string TypeOf(AttributeValue value) => value switch
    {
        { S: not null } => "S",
        { N: not null } => "N",
        { B: not null } => "B",
        { BOOL: not null } => "BOOL",
        _ => "other",
    };
}

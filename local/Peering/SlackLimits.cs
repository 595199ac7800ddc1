using System.Text.Json.Nodes;
using ControlPlane.Text;

namespace ControlPlane.Local.Peering;

/// <summary>What Slack takes of a message, by its published limits: a message that breaks one is refused whole.</summary>
/// <remarks>https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/reference/block-kit/composition-objects/text-object and
/// https://docs.slack.dev/reference/block-kit/block-elements, in characters.</remarks>
internal static class SlackLimits
{
    private const int MostBlocks = 50;
    private const int LongestMessageText = 40_000;
    private const int LongestId = 255;

    /// <returns>Slack's word for what is wrong and where it is; null for a message that Slack takes.</returns>
    public static string? Fault(JsonObject message)
    {
        if (message["response_type"] is { } type && Text(type) is not ("ephemeral" or "in_channel"))
            return "invalid_payload: response_type";
        if (message["text"] is { } given && Text(given) is not { Length: <= LongestMessageText })
            return "msg_too_long: text";
        var text = Text(message["text"]);
        if (text is not null && Invisible.IsBlank(text))
            return "no_text: text";
        if (message["blocks"] is not { } blocks)
            return text is null ? "no_text: neither text nor blocks" : null;
        if (blocks is not JsonArray { Count: > 0 and <= MostBlocks } list)
            return "invalid_blocks: 1 to 50 blocks";

        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (at, block) in list.Index())
            if (FaultOfBlock(block as JsonObject, ids) is { } fault)
                return $"invalid_blocks: {fault} [json-pointer:/blocks/{at}]";
        return null;
    }

    private static string? FaultOfBlock(JsonObject? block, HashSet<string> ids)
    {
        if (block?["block_id"] is { } id && (Text(id) is not { Length: > 0 and <= LongestId } name || !ids.Add(name)))
            return "block_id";
        return Text(block?["type"]) switch
        {
            "section" => FaultOfSection(block!),
            "context" => FaultOfEach(block!["elements"], 10, element => Text(element["type"]) == "image" ? FaultOfImage(element) : FaultOfText(element, 3000)),
            "header" => Text(block!["text"]?["type"]) == "plain_text" ? FaultOfText(block["text"], 150) : "a header takes plain_text",
            "actions" => FaultOfEach(block!["elements"], 25, FaultOfElement),
            "divider" => null,
            _ => "unsupported type",
        };
    }

    private static string? FaultOfSection(JsonObject block)
    {
        if (block["text"] is null && block["fields"] is null)
            return "a section takes text or fields";
        return (block["text"] is { } text ? FaultOfText(text, 3000) : null)
            ?? (block["fields"] is { } fields ? FaultOfEach(fields, 10, field => FaultOfText(field, 2000)) : null)
            ?? (block["accessory"] is JsonObject accessory ? FaultOfElement(accessory) : null);
    }

    private static string? FaultOfElement(JsonObject element)
    {
        if (element["action_id"] is { } id && Text(id) is not { Length: > 0 and <= LongestId })
            return "action_id";
        if (element["value"] is { } value && Text(value) is not { Length: <= 2000 })
            return "value";
        if (element["url"] is { } url && Text(url) is not { Length: <= 3000 })
            return "url";
        return Text(element["type"]) != "button"
            ? null
            : Text(element["text"]?["type"]) == "plain_text"
            ? FaultOfText(element["text"], 75)
            : "a button takes plain_text";
    }

    private static string? FaultOfImage(JsonObject image) =>
        Text(image["alt_text"]) is { Length: > 0 and <= 2000 } && Text(image["image_url"]) is { Length: <= 3000 } ? null : "image";

    private static string? FaultOfEach(JsonNode? elements, int most, Func<JsonObject, string?> faultOf)
    {
        if (elements is not JsonArray { Count: > 0 } list || list.Count > most)
            return $"1 to {most} elements";
        return list.Select(element => element is JsonObject one ? faultOf(one) : "no object").FirstOrDefault(fault => fault is not null);
    }

    private static string? FaultOfText(JsonNode? text, int longest) => (Text(text?["type"]), Text(text?["text"])) switch
    {
        (not ("mrkdwn" or "plain_text"), _) => "a text object is mrkdwn or plain_text",
        (_, null) => "a text object lacks its text",
        (_, var words) when Invisible.IsBlank(words) => "must be more than 0 characters",
        (_, var words) when words.Length > longest => $"must be less than {longest + 1} characters",
        _ => null,
    };

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}

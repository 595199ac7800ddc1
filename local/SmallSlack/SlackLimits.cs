using System.Text.Json.Nodes;
using ControlPlane.Text;

namespace ControlPlane.Local.SmallSlack;

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

    private const int MostViewBlocks = 100;
    private const int LongestTitle = 24;

    /// <summary>The same of a modal, or of the App Home: https://docs.slack.dev/reference/views.</summary>
    public static string? FaultOfView(JsonObject view)
    {
        var isModal = Text(view["type"]) == "modal";
        if (!isModal && Text(view["type"]) != "home")
            return "invalid_arguments: a view is a modal or a home";
        if (view["private_metadata"] is { } metadata && Text(metadata) is not { Length: <= 3000 })
            return "invalid_arguments: private_metadata";
        if (view["callback_id"] is { } callback && Text(callback) is not { Length: <= LongestId })
            return "invalid_arguments: callback_id";
        foreach (var name in isModal ? (string[])["title", "submit", "close"] : [])
            if ((name == "title" || view[name] is not null) && (Text(view[name]?["type"]) != "plain_text" || FaultOfText(view[name], LongestTitle) is not null))
                return $"invalid_arguments: {name}";
        if (view["blocks"] is not JsonArray { Count: > 0 and <= MostViewBlocks } blocks)
            return $"invalid_arguments: 1 to {MostViewBlocks} blocks";

        var ids = new HashSet<string>(StringComparer.Ordinal);
        var hasInput = false;
        foreach (var (at, block) in blocks.Index())
        {
            hasInput |= Text(block?["type"]) == "input";
            if (FaultOfBlock(block as JsonObject, ids) is { } fault)
                return $"invalid_arguments: {fault} [json-pointer:/view/blocks/{at}]";
        }
        return isModal && hasInput && view["submit"] is null ? "invalid_arguments: submit" : null;
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
            "input" => FaultOfInput(block!),
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
        if (Text(element["type"]) != "button")
            return null;
        if (element["accessibility_label"] is { } label && Text(label) is not { Length: > 0 and <= 75 })
            return "accessibility_label";
        return Text(element["text"]?["type"]) == "plain_text"
            ? FaultOfText(element["text"], 75) ?? (element["confirm"] is { } confirm ? FaultOfConfirmation(confirm) : null)
            : "a button takes plain_text";
    }

    private static string? FaultOfConfirmation(JsonNode confirm) =>
        ((string, int)[])[("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)] is var parts
        && Array.Find(parts, part => FaultOfText(confirm[part.Item1], part.Item2) is not null) is { Item1: { } name } ? $"confirm: {name}" : null;

    private static string? FaultOfInput(JsonObject block)
    {
        if (Text(block["label"]?["type"]) != "plain_text" || FaultOfText(block["label"], 2000) is not null)
            return "an input takes a label of plain_text";
        if (block["hint"] is { } hint && (Text(hint["type"]) != "plain_text" || FaultOfText(hint, 2000) is not null))
            return "hint";
        if (block["element"] is not JsonObject element || (element["action_id"] is { } id && Text(id) is not { Length: > 0 and <= LongestId }))
            return "element";
        return Text(element["type"]) switch
        {
            "plain_text_input" => Number(element["max_length"]) is < 1 or > 3000 ? "max_length" : FaultOfInitial(element),
            "number_input" => element["is_decimal_allowed"] is null ? "is_decimal_allowed" : FaultOfInitial(element),
            "static_select" => FaultOfOptions(element, 100, element["initial_option"] is { } initial ? [initial] : []),
            "checkboxes" => FaultOfOptions(element, 10, element["initial_options"] as JsonArray ?? []),
            _ => "unsupported element",
        };
    }

    private static string? FaultOfInitial(JsonObject element) =>
        element["initial_value"] is { } initial && (Text(initial) is not { } text || text.Length > (Number(element["max_length"]) ?? 3000)) ? "initial_value" : null;

    private static string? FaultOfOptions(JsonObject element, int most, IEnumerable<JsonNode?> initial) =>
        FaultOfEach(element["options"], most, option => Text(option["text"]?["type"]) is not ("plain_text" or "mrkdwn") || FaultOfText(option["text"], 75) is not null
            || Text(option["value"]) is not { Length: > 0 and <= 150 } ? "option" : null)
        ?? (initial.Any(one => !element["options"]!.AsArray().Any(option => JsonNode.DeepEquals(option, one))) ? "an initial option is none of the options" : null);

    private static int? Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;

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

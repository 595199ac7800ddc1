using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ControlPlane.Local.SmallSlack;

/// <summary>What is seen of a message where there is no markup, such as in a terminal.</summary>
internal static partial class SlackMarkup
{
    /// <summary>All the words of the blocks where there are any, else the text: one line for each block.</summary>
    public static string TextOf(JsonObject message) => message["blocks"] is JsonArray { Count: > 0 } blocks
        ? string.Join('\n', blocks.Select(block => string.Join("  ", WordsOf(block))).Where(line => line.Length > 0))
        : Plain((string?)message["text"] ?? "");

    /// <summary>What is on the buttons.</summary>
    public static IReadOnlyList<string> ButtonsOf(JsonObject message) => message["blocks"] is JsonArray blocks
        ? [.. blocks.Where(block => (string?)block!["type"] == "actions").SelectMany(block => block!["elements"]!.AsArray())
            .Select(button => (string)button!["text"]!["text"]!)]
        : [];

    public static string Plain(string markup)
    {
        var text = Angles().Replace(markup, match => match.Groups["in"].Value switch
        {
            ['@', .. var user] => $"@{user}",
            ['#', .. var channel] => $"#{channel.Split('|')[^1]}",
            var date when date.StartsWith("!date^", StringComparison.Ordinal) => date[(date.LastIndexOf('|') + 1)..],
            var link => link.Split('|')[^1],
        });
        text = Bold().Replace(text, "$1").Replace("`", "", StringComparison.Ordinal);
        text = Emoji().Replace(text, match => Signs.TryGetValue(match.Groups[1].Value, out var sign) ? sign : match.Value);
        return text.Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal)
            .Replace("&amp;", "&", StringComparison.Ordinal);
    }

    private static IEnumerable<string> WordsOf(JsonNode? block) => (string?)block!["type"] == "actions" ? []
        : ((JsonNode?[])[block["text"], .. block["fields"]?.AsArray() ?? [], .. block["elements"]?.AsArray() ?? []])
            .OfType<JsonObject>().Select(text => (string?)text["text"]).OfType<string>().Select(Plain);

    internal static readonly Dictionary<string, string> Signs = new(StringComparer.Ordinal)
    {
        ["white_check_mark"] = "✅",
        ["x"] = "❌",
        ["no_entry"] = "⛔",
        ["no_entry_sign"] = "🚫",
        ["alarm_clock"] = "⏰",
        ["gear"] = "⚙️",
        ["warning"] = "⚠️",
        ["hourglass_flowing_sand"] = "⏳",
        ["outbox_tray"] = "📤",
        ["inbox_tray"] = "📥",
        ["grey_question"] = "❔",
        ["arrow_forward"] = "▶️",
        ["snail"] = "🐌",
        ["black_circle"] = "⚫",
        ["large_green_circle"] = "🟢",
        ["large_yellow_circle"] = "🟡",
        ["red_circle"] = "🔴",
        ["mailbox_with_no_mail"] = "📭",
        ["raised_hand"] = "✋",
        ["calendar"] = "📅",
        ["wastebasket"] = "🗑️",
    };

    [GeneratedRegex("<(?<in>[^>]*)>")]
    internal static partial Regex Angles();

    [GeneratedRegex(@"(?<![\w*])\*([^*\n]+)\*(?![\w*])")]
    internal static partial Regex Bold();

    [GeneratedRegex(":([a-z_]+):")]
    internal static partial Regex Emoji();
}

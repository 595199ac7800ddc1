using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Local.SmallSlack;

/// <summary>Messages, modals and the App Home as a page, at a phone's width: the part of Block Kit and of its markup that the app uses.</summary>
/// <remarks>Not Slack's own look: it shows what is there, in its order and its sizes, and what a screen reader would be told.</remarks>
internal static class SlackPage
{
    /// <summary>How wide a phone is, in CSS pixels.</summary>
    public const int PhoneWidth = 390;

    private const string Style =
        """
        body{margin:0;background:#fff;color:#1d1c1d;font:15px/1.46 system-ui,"DejaVu Sans",sans-serif}
        main{max-width:390px;margin:0 auto;padding:8px 0}
        article{padding:8px 16px;overflow-wrap:anywhere} article>header{font-size:13px;color:#616061;margin-bottom:2px} article>header b{color:#1d1c1d}
        article+article{border-top:1px solid #ddd}
        p{margin:4px 0;white-space:pre-line} .small{font-size:12px;color:#616061;white-space:normal} h2{font-size:17px;margin:12px 0 4px}
        code{font:13px "DejaVu Sans Mono",monospace;color:#a3195b;background:#f4f4f4;border:1px solid #ddd;border-radius:3px;padding:0 3px}
        a,.who{color:#0b5cad} .who{background:#e8f1fa;border-radius:3px;padding:0 2px}
        .facts{display:grid;grid-template-columns:1fr 1fr;gap:4px 12px} .facts p{margin:2px 0}
        form{display:inline} .row{display:flex;flex-wrap:wrap;gap:8px;margin:8px 0}
        button{font:inherit;font-weight:600;min-height:36px;padding:4px 12px;color:#1d1c1d;background:#fff;border:1px solid #888;border-radius:6px}
        .modal{border:1px solid #ccc;border-radius:10px;margin:8px;padding:0 16px 12px} .modal h1{font-size:18px;margin:12px 0}
        label,legend{display:block;font-weight:600;margin-top:12px;padding:0} fieldset{border:0;margin:0;padding:0}
        fieldset label{font-weight:400;margin-top:4px}
        input:not([type=checkbox]),select,textarea{box-sizing:border-box;width:100%;font:inherit;min-height:38px;
            padding:6px 8px;border:1px solid #888;border-radius:6px}
        .primary{background:#007a5a;border-color:#007a5a;color:#fff} .hint{font-size:13px;color:#616061;margin:2px 0 0} .fault{color:#b3093c;margin:2px 0 0}
        """;

    /// <param name="shown">Messages and views, oldest first.</param>
    /// <param name="seat">With a line to type commands in, and one to be somebody else or somewhere else.</param>
    public static string Of(string title, IEnumerable<ShownPiece> shown, SlackSeat? seat = null) =>
        $"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>{Text(title)}</title><style>{Style}</style><main>{string.Concat(shown.Select(Piece))}{(seat is null ? "" : Commands(seat))}</main></html>";

    private static string Commands(SlackSeat seat) =>
        $"<form method=post action=\"/type{Text(seat.Query)}\" class=row style=\"padding:8px 16px;flex-wrap:nowrap\"><label style=\"margin:0;flex:1\">/wf<input name=text autofocus autocomplete=off></label><button>Send</button><button formaction=\"/home{Text(seat.Query)}\">Home</button></form><form class=row style=\"padding:8px 16px;flex-wrap:nowrap;align-items:end\"><input type=hidden name=team value=\"{Text(seat.Team)}\"><label style=\"margin:0;flex:1\">You are<input name=user value=\"{Text(seat.User)}\"></label><label style=\"margin:0;flex:1\">in<input name=channel value=\"{Text(seat.Channel)}\"></label><button>Go</button></form>";

    private static string Piece(ShownPiece piece) => piece.Json["type"]?.GetValue<string>() switch
    {
        "modal" => Modal(piece),
        "home" => $"<article><header><b>Workflows</b> · Home</header>{Blocks(piece)}</article>",
        _ => $"<article><header><b>Workflows</b> · {Text(piece.SeenBy ?? ((string?)piece.Json["response_type"] == "in_channel" ? "to the channel" : "only visible to you"))}</header>{Blocks(piece)}</article>",
    };

    private static string Blocks(ShownPiece piece) => piece.Json["blocks"] is JsonArray blocks
        ? string.Concat(blocks.OfType<JsonObject>().Select(block => Block(block, piece)))
        : $"<p>{Markup((string?)piece.Json["text"] ?? "")}</p>";

    private static string Block(JsonObject block, ShownPiece piece) => (string?)block["type"] switch
    {
        "header" => $"<h2>{Words(block["text"])}</h2>",
        "section" => (block["text"] is { } text ? $"<p>{Words(text)}</p>" : "")
            + (block["fields"] is JsonArray fields ? $"<div class=facts>{string.Concat(fields.Select(field => $"<p>{Words(field)}</p>"))}</div>" : ""),
        "context" => $"<p class=small>{string.Join(" ", block["elements"]!.AsArray().Select(Words))}</p>",
        "actions" => $"<div class=row>{string.Concat(block["elements"]!.AsArray().Select(button => Button(button!, piece)))}</div>",
        "input" => Input(block, piece),
        "divider" => "<hr>",
        var other => $"<p>[{Text(other ?? "?")}]</p>",
    };

    private static string Button(JsonNode button, ShownPiece piece) =>
        $"<form method=post action=\"/press{Text(piece.Seat)}\"><input type=hidden name=piece value=\"{Text(piece.Id)}\"><input type=hidden name=action value=\"{Text((string?)button["action_id"] ?? "")}\"><input type=hidden name=value value=\"{Text((string?)button["value"] ?? "")}\"><button aria-label=\"{Text((string?)button["accessibility_label"] ?? (string?)button["text"]!["text"] ?? "")}\">{Words(button["text"])}</button></form>";

    private static string Modal(ShownPiece piece) =>
        $"<form method=post action=\"/submit{Text(piece.Seat)}\" class=modal style=\"display:block\"><input type=hidden name=piece value=\"{Text(piece.Id)}\"><h1>{Words(piece.Json["title"])}</h1>{Blocks(piece)}<div class=row>{(piece.Json["close"] is { } close ? $"<button type=button>{Words(close)}</button>" : "")}{(piece.Json["submit"] is { } submit ? $"<button class=primary>{Words(submit)}</button>" : "")}</div></form>";

    private static string Input(JsonObject block, ShownPiece piece)
    {
        var (id, element) = ((string)block["block_id"]!, block["element"]!);
        var optional = (bool?)block["optional"] == true ? " <span class=hint>(optional)</span>" : "";
        var hint = block["hint"] is { } said ? $"<p class=hint>{Words(said)}</p>" : "";
        var fault = piece.Faults?[id] is { } wrong ? $"<p class=fault role=alert>⚠ {Text((string)wrong!)}</p>" : "";
        var label = $"{Words(block["label"])}{optional}";
        var initial = Text((string?)element["initial_value"] ?? "");
        var name = $"name=\"{Text(id)}\"";
        var field = (string?)element["type"] switch
        {
            "checkboxes" => $"<fieldset><legend>{label}</legend>{string.Concat(element["options"]!.AsArray().Select(option => $"<label><input type=checkbox {name} value=\"{Text((string)option!["value"]!)}\"{(element["initial_options"] is JsonArray { Count: > 0 } ? " checked" : "")}> {Words(option["text"])}</label>"))}</fieldset>",
            "static_select" => $"<label>{label}<select {name}><option value=\"\">{Words(element["placeholder"])}</option>{string.Concat(element["options"]!.AsArray().Select(option => $"<option value=\"{Text((string)option!["value"]!)}\"{((string?)element["initial_option"]?["value"] == (string?)option["value"] ? " selected" : "")}>{Words(option["text"])}</option>"))}</select></label>",
            "number_input" => $"<label>{label}<input {name} inputmode=decimal value=\"{initial}\"></label>",
            _ when (bool?)element["multiline"] == true => $"<label>{label}<textarea {name} rows=3>{initial}</textarea></label>",
            _ => $"<label>{label}<input {name} value=\"{initial}\"></label>",
        };
        return field + fault + hint;
    }

    private static string Words(JsonNode? text) => text is null ? "" : (string?)text["type"] == "mrkdwn" ? Markup((string)text["text"]!) : Text((string)text["text"]!);

    // What is escaped in markup is escaped for a page too: < and > are ours alone.
    private static string Markup(string markup)
    {
        var html = new StringBuilder();
        foreach (var (index, part) in markup.Split('`').Index())
            html.Append(index % 2 == 1 ? $"<code>{part.Replace("\"", "&quot;", StringComparison.Ordinal)}</code>" : Emphasis(part));
        return html.ToString();
    }

    private static string Emphasis(string markup)
    {
        var html = SlackMarkup.Angles().Replace(markup, match => match.Groups["in"].Value switch
        {
            ['@', .. var user] => $"<span class=who>@{user}</span>",
            ['#', .. var channel] => $"<span class=who>#{channel.Split('|')[^1]}</span>",
            var date when date.StartsWith("!date^", StringComparison.Ordinal) => date[(date.LastIndexOf('|') + 1)..],
            var link => $"<a href=\"{link.Split('|')[0].Replace("\"", "%22", StringComparison.Ordinal)}\">{link.Split('|')[^1]}</a>",
        });
        html = SlackMarkup.Bold().Replace(html, "<b>$1</b>");
        return SlackMarkup.Emoji().Replace(html, match => SlackMarkup.Signs.TryGetValue(match.Groups[1].Value, out var sign) ? sign : match.Value);
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}

/// <summary>A message, a modal or a home, as it is shown.</summary>
/// <param name="Id">By which a press or a submission names it.</param>
/// <param name="Faults">What is wrong with a modal's fields, by block.</param>
/// <param name="SeenBy">Who sees a message, in words; null for whoever looks alone.</param>
/// <param name="Seat">Whose presses its buttons are, as a query; empty for whoever the page takes for granted.</param>
internal sealed record ShownPiece(string Id, JsonObject Json, JsonObject? Faults = null, string? SeenBy = null, string Seat = "");

/// <summary>Who looks at the page, and in which channel their commands are typed.</summary>
internal sealed record SlackSeat(string Team, string User, string Channel)
{
    public string Query => $"?team={Uri.EscapeDataString(Team)}&user={Uri.EscapeDataString(User)}&channel={Uri.EscapeDataString(Channel)}";
}

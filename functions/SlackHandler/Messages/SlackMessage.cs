namespace ControlPlane.SlackHandler.Messages;

/// <summary>An answer to a command, or a message to its <c>response_url</c>: Block Kit, and a text for where no blocks are shown.</summary>
internal sealed record SlackMessage(string ResponseType, string Text, IReadOnlyList<Block> Blocks, bool? ReplaceOriginal = null)
{
    private const string Ephemeral = "ephemeral";
    private const string InChannel = "in_channel";

    /// <summary>Shown to the user alone.</summary>
    public static SlackMessage Private(SlackText text, params IEnumerable<Block> more) => new(Ephemeral, text.ToString(), [Block.Section(text), .. more]);

    public SlackMessage Public() => this with { ResponseType = InChannel };

    /// <summary>As a message of its own, beside the answer that is there already.</summary>
    public SlackMessage Later() => this with { ReplaceOriginal = false };
}

/// <summary>One block: a section of text or a line of small print.</summary>
internal sealed record Block(string Type, TextObject? Text = null, IReadOnlyList<TextObject>? Fields = null, IReadOnlyList<TextObject>? Elements = null)
{
    private const int LongestText = 3000;       // of a section, in characters
    private const int MostFields = 10;

    public static Block Section(SlackText text) => new("section", Text: TextObject.Of(text, LongestText));

    /// <summary>Short facts, two in a row on a wide screen and one below the other on a phone.</summary>
    public static Block Facts(params IEnumerable<SlackText> facts) => new("section", Fields: [.. facts.Take(MostFields).Select(fact => TextObject.Of(fact, LongestText))]);

    public static Block SmallPrint(SlackText text) => new("context", Elements: [TextObject.Of(text, LongestText)]);
}

/// <param name="Verbatim">Slack makes no links and mentions of its own from the text.</param>
internal sealed record TextObject(string Type, string Text, bool Verbatim)
{
    public static TextObject Of(SlackText text, int longest) =>
        new("mrkdwn", text.Within(longest).ToString(), true);
}

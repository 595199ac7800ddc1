namespace ControlPlane.SlackHandler.Messages;

/// <summary>An answer to a command, or a message to its <c>response_url</c>: Block Kit, and everything it says as text for where no blocks are shown.</summary>
/// <param name="Text">All of it, since a screen reader reads the text and skips the blocks. Null where that is more than a text takes: then the blocks are
/// read.</param>
/// <param name="Blocks">Null where the text stands alone.</param>
internal sealed record SlackMessage(string ResponseType, string? Text, IReadOnlyList<Block>? Blocks, bool? ReplaceOriginal = null)
{
    private const string Ephemeral = "ephemeral";
    private const string InChannel = "in_channel";

    // Slack takes 40,000 characters, and advises 4,000: https://docs.slack.dev/reference/methods/chat.postMessage#truncating
    private const int LongestText = 4000;
    private const int MostBlocks = 50;

    /// <summary>Shown to the user alone. What would show nothing is left out, for Slack refuses the whole message over it.</summary>
    public static SlackMessage Private(SlackText text, params IEnumerable<Block> more)
    {
        List<Block> blocks = [Block.Section(text), .. more];
        blocks = [.. blocks.Select(block => block.WithoutBlanks()).OfType<Block>().Take(MostBlocks)];
        var all = WordsOf(blocks);
        return new(Ephemeral, all.Length <= LongestText ? all : null, blocks);
    }

    public SlackMessage Public() => this with { ResponseType = InChannel };

    /// <summary>As a message of its own, beside the answer that is there already.</summary>
    public SlackMessage Later() => this with { ReplaceOriginal = false };

    /// <summary>The same words without blocks, for where Slack does not take the blocks.</summary>
    public SlackMessage InTextAlone() => this with { Blocks = null, Text = Text ?? SlackText.Within(WordsOf(Blocks ?? []), LongestText) };

    private static string WordsOf(IEnumerable<Block> blocks) => string.Join('\n', blocks.SelectMany(block => block.Words()));
}

/// <summary>One block: a section of text or a line of small print.</summary>
internal sealed record Block(string Type, TextObject? Text = null, IReadOnlyList<TextObject>? Fields = null, IReadOnlyList<TextObject>? Elements = null)
{
    // https://docs.slack.dev/reference/block-kit/blocks/section-block, in characters
    private const int LongestText = 3000;
    private const int LongestField = 2000;
    private const int MostFields = 10;

    /// <summary>All that is read in it.</summary>
    public IEnumerable<string> Words() => ((IEnumerable<TextObject?>)[Text, .. Fields ?? [], .. Elements ?? []]).OfType<TextObject>().Select(text => text.Text);

    public static Block Section(SlackText text) => new("section", Text: TextObject.Of(text, LongestText));

    /// <summary>Short facts, two in a row on a wide screen and one below the other on a phone.</summary>
    public static Block Facts(params IEnumerable<SlackText> facts) =>
        new("section", Fields: [.. facts.Take(MostFields).Select(fact => TextObject.Of(fact, LongestField))]);

    public static Block SmallPrint(SlackText text) => new("context", Elements: [TextObject.Of(text, LongestText)]);

    /// <returns>Null when nothing visible is left.</returns>
    public Block? WithoutBlanks()
    {
        var kept = this with { Text = Kept(Text), Fields = Kept(Fields), Elements = Kept(Elements) };
        return kept is { Text: null, Fields: null, Elements: null } ? null : kept;
    }

    private static TextObject? Kept(TextObject? text) => text is { IsBlank: false } ? text : null;

    private static IReadOnlyList<TextObject>? Kept(IReadOnlyList<TextObject>? texts) =>
        texts?.Where(text => !text.IsBlank).ToList() is { Count: > 0 } kept ? kept : null;
}

/// <param name="Verbatim">Slack makes no links and mentions of its own from the text.</param>
internal sealed record TextObject(string Type, string Text, bool Verbatim)
{
    internal bool IsBlank => ControlPlane.Text.Invisible.IsBlank(Text);

    public static TextObject Of(SlackText text, int longest) =>
        new("mrkdwn", text.Within(longest).ToString(), true);
}

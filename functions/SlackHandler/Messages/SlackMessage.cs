using System.Text.Json.Serialization;

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

    /// <summary>What it says where no markup is shown, as beside a field.</summary>
    [JsonIgnore]
    public string InPlainWords => SlackText.WithoutMarkup(WordsOf(Blocks ?? []));

    private static string WordsOf(IEnumerable<Block> blocks) => string.Join('\n', blocks.SelectMany(block => block.Words()));
}

/// <summary>One block: a section of text, a line of small print, or a row of buttons.</summary>
internal sealed record Block(string Type, TextObject? Text = null, IReadOnlyList<TextObject>? Fields = null, IReadOnlyList<BlockElement>? Elements = null)
{
    // https://docs.slack.dev/reference/block-kit/blocks/section-block, in characters
    private const int LongestText = 3000;
    private const int LongestField = 2000;
    private const int LongestHeader = 150;
    private const int MostFields = 10;

    // https://docs.slack.dev/reference/block-kit/blocks/actions-block
    private const int MostButtons = 25;

    /// <summary>All that is read in it. What is on a button is read where the button is.</summary>
    public IEnumerable<string> Words() =>
        ((IEnumerable<BlockElement?>)[Text, .. Fields ?? [], .. Elements ?? []]).OfType<TextObject>().Select(text => text.Text);

    /// <param name="text">Of ours: it is shown as it is.</param>
    public static Block Header(string text) => new("header", Text: TextObject.Plain(text, LongestHeader));

    public static Block Section(SlackText text) => new("section", Text: TextObject.Of(text, LongestText));

    /// <summary>Short facts, two in a row on a wide screen and one below the other on a phone.</summary>
    public static Block Facts(params IEnumerable<SlackText> facts) =>
        new("section", Fields: [.. facts.Take(MostFields).Select(fact => TextObject.Of(fact, LongestField))]);

    public static Block SmallPrint(SlackText text) => new("context", Elements: [TextObject.Of(text, LongestText)]);

    public static Block Actions(params IEnumerable<Button> buttons) => new("actions", Elements: [.. buttons.Take(MostButtons)]);

    /// <returns>Null when nothing visible is left.</returns>
    public Block? WithoutBlanks()
    {
        var kept = this with { Text = Kept(Text), Fields = Kept(Fields), Elements = Kept(Elements) };
        return kept is { Text: null, Fields: null, Elements: null } ? null : kept;
    }

    private static TextObject? Kept(TextObject? text) => text is { IsBlank: false } ? text : null;

    private static IReadOnlyList<T>? Kept<T>(IReadOnlyList<T>? elements) where T : BlockElement =>
        elements?.Where(element => element is not TextObject { IsBlank: true }).ToList() is { Count: > 0 } kept ? kept : null;
}

/// <summary>What stands in a row inside a block: texts in small print, buttons in actions.</summary>
[JsonDerivedType(typeof(TextObject))]
[JsonDerivedType(typeof(Button))]
internal abstract record BlockElement(string Type);

/// <param name="Verbatim">Slack makes no links and mentions of its own from the text. Only of <c>mrkdwn</c>.</param>
internal sealed record TextObject(string Type, string Text, bool? Verbatim = null) : BlockElement(Type)
{
    internal bool IsBlank => ControlPlane.Text.Invisible.IsBlank(Text);

    public static TextObject Of(SlackText text, int longest) =>
        new("mrkdwn", text.Within(longest).ToString(), true);

    /// <summary>Text without markup, for buttons, titles and labels: shown as it is.</summary>
    public static TextObject Plain(string text, int longest) => new("plain_text", text.Length <= longest ? text : text[..(longest - 1)] + "…");
}

/// <summary>A button: what it does, and to what.</summary>
/// <remarks>https://docs.slack.dev/reference/block-kit/block-elements/button-element</remarks>
internal sealed record Button(
    string ActionId, TextObject Text, string Value, string? AccessibilityLabel = null, Confirmation? Confirm = null) : BlockElement("button")
{
    private const int LongestText = 75;

    /// <param name="label">What a screen reader says: the text alone does not say to what.</param>
    public static Button Of(string action, string text, string value, string label, Confirmation? confirm = null) =>
        new(action, TextObject.Plain(text, LongestText), value, TextObject.Plain(label, LongestText).Text, confirm);
}

/// <summary>What Slack asks before a button does its work.</summary>
/// <remarks>https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object</remarks>
internal sealed record Confirmation(TextObject Title, TextObject Text, TextObject Confirm, TextObject Deny)
{
    public static Confirmation Of(string title, string text, string yes, string no) =>
        new(TextObject.Plain(title, 100), TextObject.Plain(text, 300), TextObject.Plain(yes, 30), TextObject.Plain(no, 30));
}

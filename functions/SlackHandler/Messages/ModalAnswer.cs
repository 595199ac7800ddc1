namespace ControlPlane.SlackHandler.Messages;

/// <summary>What becomes of a modal that was submitted and is not done with.</summary>
/// <remarks>https://docs.slack.dev/surfaces/modals#displaying_errors</remarks>
/// <param name="Errors">By block, where there are fields to show them at.</param>
/// <param name="View">In the place of a modal without fields.</param>
internal sealed record ModalAnswer(string ResponseAction, IReadOnlyDictionary<string, string>? Errors = null, ModalView? View = null)
{
    /// <param name="faults">By block; by the empty name what no field is there for.</param>
    public static ModalAnswer Of(IReadOnlyDictionary<string, string> faults) => faults.TryGetValue("", out var fault)
        ? new("update", View: new("modal", TextObject.Plain("Not started", 24), TextObject.Plain("Close", 24), [Block.Section(SlackText.Of($"{fault}"))]))
        : new("errors", faults);
}

/// <summary>A modal that only says something.</summary>
internal sealed record ModalView(string Type, TextObject Title, TextObject Close, IReadOnlyList<Block> Blocks);

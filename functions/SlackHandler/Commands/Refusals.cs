using ControlPlane.SlackHandler.Messages;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What users are told when nothing is done. Always to them alone.</summary>
internal static class Refusals
{
    public static readonly SlackMessage Unreadable = SlackMessage.Private(SlackText.Of($"Slack sent a request that I can't read. Nothing was started."));

    public static readonly SlackMessage UnknownWorkspace = SlackMessage.Private(
        SlackText.Of($"This workspace is not connected to the platform. Ask whoever looks after it to register it."));

    public static readonly SlackMessage Suspended = SlackMessage.Private(
        SlackText.Of($"Your organisation's account is suspended at the moment, so nothing can be run or looked up. Ask your administrator."));

    public static readonly SlackMessage TooLong = SlackMessage.Private(
        SlackText.Of($"That is too long: a command may have {SlackCommand.LongestText} characters. Nothing was started."));

    public static readonly SlackMessage OpenQuote = SlackMessage.Private(SlackText.Of($"A quote or a brace is opened and never closed. Nothing was started."));

    /// <summary>Our own trouble, before anything was ordered.</summary>
    public static readonly SlackMessage TryAgain = SlackMessage.Private(
        SlackText.Of($":warning: Something on our side is too slow or failing. Nothing was started. Please try again in a moment."));

    public static readonly SlackMessage UnknownButton = SlackMessage.Private(SlackText.Of($"I don't know that button. Nothing was done."));

    public static SlackMessage TooMany(TimeSpan wait) => SlackMessage.Private(
        SlackText.Of($":snail: That was too many commands for one minute. Nothing was started. Try again in {(long)Math.Ceiling(wait.TotalSeconds)} s."));

    public static SlackMessage UnknownVerb(string command, string typed) => SlackMessage.Private(
        DidYouMean.Nearest(typed, Verbs.All) is { } verb
            ? SlackText.Of($"I don't know {SlackText.Code(typed)}. Did you mean {SlackText.Code($"{command} {verb}")}?")
            : SlackText.Of($"I don't know {SlackText.Code(typed)}. {SlackText.Code($"{command} help")} shows what I can do."));

    /// <summary>What was typed begins with something that may be run here.</summary>
    public static SlackMessage RunIsMissing(string command, string typed) => SlackMessage.Private(
        SlackText.Of($"To start {SlackText.Code(typed.Split(' ')[0])}, say {SlackText.Code($"{command} run {typed}")}. Nothing was started."));

    public static SlackMessage Usage(string command, string example) =>
        SlackMessage.Private(SlackText.Of($"That is written {SlackText.Code($"{command} {example}")}."));

    /// <remarks>The same for one that is not there and for one that this user may not see here: the answer tells nobody which.</remarks>
    public static SlackMessage NoSuchExecution(string typed) =>
        SlackMessage.Private(SlackText.Of($"There is no such execution that you may see in this channel: {SlackText.Code(typed)}."));

    public static SlackMessage Ambiguous(string typed) =>
        SlackMessage.Private(SlackText.Of($"Several executions begin with {SlackText.Code(typed)}: more of its digits tell which."));
}

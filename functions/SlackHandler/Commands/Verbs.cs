namespace ControlPlane.SlackHandler.Commands;

/// <summary>What can be asked for.</summary>
internal static class Verbs
{
    public const string Help = "help", Run = "run", Again = "again", Status = "status", Why = "why", List = "list", Workflows = "workflows", Usage = "usage",
        Cancel = "cancel", Approve = "approve", Deny = "deny", Schedule = "schedule", Unschedule = "unschedule";

    public static readonly IReadOnlyList<string> All = [Help, Run, Again, Status, Why, List, Workflows, Usage, Cancel, Approve, Deny, Schedule, Unschedule];

    /// <returns>The verb typed, in whatever case of the ASCII letters; <see cref="Help"/> for nothing; null for anything else.</returns>
    public static string? Of(IReadOnlyList<Word> words) => words switch
    {
        [] => Help,
        [{ Key: null, IsObject: false, Value: var typed }, ..] => All.FirstOrDefault(verb => System.Text.Ascii.EqualsIgnoreCase(verb, typed)),
        _ => null,
    };
}

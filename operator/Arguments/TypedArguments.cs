using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Arguments;

/// <summary>Arguments and options that become domain types as they are read. Each says what it takes when it is given something else.</summary>
internal static partial class TypedArguments
{
    public delegate bool Parser<T>(string text, out T value);

    public static Argument<TenantId> Tenant() => Argument<TenantId>("tenant", "The tenant, tenant-1 to tenant-156.", TenantId.TryParse, TenantFault);

    public static Argument<TenantId?> TenantOrAll() => new("tenant")
    {
        Description = "The tenant; all when left out.",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = given => given.Tokens.Count == 0 ? null : Read<TenantId>(given, TenantId.TryParse, TenantFault),
    };

    public static Argument<WorkflowName> Workflow() =>
        Argument<WorkflowName>(
            "workflow", "The workflow's name in Slack.", WorkflowName.TryParse, text => $"{text} is no workflow's name: 1 to 64 of A-Z, a-z, 0-9, _ and -.");

    public static Argument<ExecutionId> Execution() =>
        Argument<ExecutionId>(
            "execution", "The execution, exec_ and 32 digits.", ExecutionId.TryParse, text => $"{text} is no execution: an id is exec_ and 32 of 0-9, a-f.");

    public static Argument<InstanceId> Instance() =>
        Argument<InstanceId>(
            "instance", "The machine's name, as its sidecar reports it.", InstanceId.TryParse,
            text => $"{text} is no instance's name: 1 to 64 of A-Z, a-z, 0-9 and -.");

    public static Argument<string> Group() => Argument<string>(
        "group", "The group's name.", (string text, out string name) =>
            (name = text) is var _ && GroupName().IsMatch(text), text => $"{text} is no group's name: 1 to 64 of A-Z, a-z, 0-9, _, . and -.");

    public static Argument<TeamId> Workspace() =>
        Argument<TeamId>("workspace", "Slack's team_id, or enterprise_id of an Enterprise Grid.", TryWorkspace, WorkspaceFault);

    public static Option<TeamId?> SlackTeam() => Optional<TeamId>(
        "--slack-team", "T…", "The Slack workspace that speaks for the tenant: team_id, or enterprise_id of an Enterprise Grid.", TryWorkspace, WorkspaceFault);

    public static Option<string[]> Users(string name, string description) =>
        SlackIds(name, description, "U…", SlackUser(), "a user's id begins with U or W, or with its workspace: T…/U…");

    public static Option<string[]> Channels(string name, string description) =>
        SlackIds(name, description, "C…", SlackChannel(), "a channel's id begins with C, D or G");

    public static Option<string[]> Groups(string name, string description) =>
        SlackIds(name, description, "name", GroupName(), "a group's name is 1 to 64 of A-Z, a-z, 0-9, _, . and -");

    public static Option<T?> Optional<T>(string name, string helpName, string description, Parser<T> parse, Func<string, string> fault) where T : struct =>
        new(name) { Description = description, HelpName = helpName, CustomParser = given => Read(given, parse, fault) };

    /// <summary>A text without what would act on a terminal.</summary>
    public static Option<string?> Text(string name, string helpName, string description, int most) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = given => Read<string>(
            given, (string text, out string value) => (value = text) is { Length: > 0 } && text.Length <= most && Plain.Text(text) == text,
            text => $"{name} {text} is no text of 1 to {most} characters."),
    };

    /// <summary>One of a few words.</summary>
    public static Option<string> OneOf(string name, string description, IReadOnlyList<string> words, string? standard = null)
    {
        var option = new Option<string>(name) { Description = description, HelpName = string.Join('|', words) };
        if (standard is not null)
            option.DefaultValueFactory = _ => standard;
        option.CompletionSources.Add([.. words]);
        option.CustomParser = given => ReadOneOf(given, name, words);
        return option;
    }

    /// <summary>One of a few words.</summary>
    public static Argument<string> OneOfArgument(string name, string description, IReadOnlyList<string> words)
    {
        var argument = new Argument<string>(name) { Description = description, HelpName = string.Join('|', words) };
        argument.CompletionSources.Add([.. words]);
        argument.CustomParser = given => ReadOneOf(given, name, words);
        return argument;
    }

    private static string? ReadOneOf(ArgumentResult given, string name, IReadOnlyList<string> words) => Read<string>(
        given, (string text, out string word) => words.Contains(word = text, StringComparer.Ordinal), text => $"{name} {text} is not one of {string.Join(", ", words)}.");

    public static Option<int> Count(string name, string description, int standard, int most)
    {
        var count = new Option<int>(name) { Description = description, DefaultValueFactory = _ => standard };
        count.CustomParser = given =>
            Read<int>(given, (string text, out int value) => Digits(text, most, out value) && value > 0, text => $"{text} is not a number from 1 to {most}.");
        return count;
    }

    /// <summary>Whole numbers from 0, for limits.</summary>
    public static Option<long?> Limit(string name, string description, long most) => Optional<long>(
        name, "N", description, (string text, out long value) => Digits(text, most, out value), text => $"{text} is not a whole number from 0 to {most}.");

    public static Option<Month?> Month() => Optional<Month>(
        "--month", "YYYY-MM", "The month (UTC); the running one when left out.",
        (string text, out Month month) => TryMonth(text, out month), text => $"{text} is not a month like 2026-11.");

    public static Argument<T> Argument<T>(string name, string description, Parser<T> parse, Func<string, string> fault) =>
        new(name) { Description = description, CustomParser = given => Read(given, parse, fault) };

    private static Option<string[]> SlackIds(string name, string description, string helpName, Regex shape, string rule) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = given =>
        {
            foreach (var text in given.Tokens.Select(token => token.Value).Where(text => !shape.IsMatch(text)))
                given.AddError($"{name} {Quote(text)}: {rule}.");
            return [.. given.Tokens.Select(token => token.Value).Distinct()];
        },
    };

    public static T? Read<T>(ArgumentResult given, Parser<T> parse, Func<string, string> fault)
    {
        var text = given.Tokens[^1].Value;
        if (parse(text, out var value))
            return value;
        given.AddError(fault(Quote(text)));
        return default;
    }

    /// <summary>What was typed, short enough for one line and without what would act on a terminal.</summary>
    public static string Quote(string text) => $"'{Plain.Text(text.Length <= 64 ? text : text[..64] + "…")}'";

    private static string TenantFault(string text) => $"{text} is no tenant: an id is tenant-N, with N from 1 to {TenantId.Highest}.";

    private static string WorkspaceFault(string text) => $"{text} is no Slack workspace: a team_id begins with T, an enterprise_id with E.";

    private static bool TryWorkspace(string text, out TeamId id) => TeamId.TryParse(text, out id) && SlackWorkspace().IsMatch(text);

    private static bool Digits<T>(string text, T most, out T value) where T : System.Numerics.INumber<T> =>
        T.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out value!) && value <= most;

    private static bool TryMonth(string text, out Month month)
    {
        var isMonth = DateTime.TryParseExact(
            text, "yyyy-MM", System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.None, out var first);
        month = isMonth ? new(first.Year, first.Month) : default;
        return isMonth;
    }

    [GeneratedRegex(@"\A[TE][A-Z0-9]{1,31}\z")]
    private static partial Regex SlackWorkspace();

    [GeneratedRegex(@"\A(T[A-Z0-9]{1,31}/)?[UW][A-Z0-9]{1,31}\z")]
    private static partial Regex SlackUser();

    [GeneratedRegex(@"\A[CDG][A-Z0-9]{1,31}\z")]
    private static partial Regex SlackChannel();

    [GeneratedRegex(@"\A[A-Za-z0-9_.-]{1,64}\z")]
    private static partial Regex GroupName();
}

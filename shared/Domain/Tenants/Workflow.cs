using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ControlPlane.Tenants;

/// <summary>A workflow's name, or the path of its webhook: 1 to 64 of A–Z, a–z, 0–9, _ and -.</summary>
public readonly partial record struct WorkflowName
{
    private readonly string? _value;

    private WorkflowName(string value) => _value = value;

    public override string ToString() => _value ?? throw new InvalidOperationException("default(WorkflowName) names no workflow.");

    public static bool TryParse([NotNullWhen(true)] string? text, out WorkflowName name)
    {
        var valid = text is not null && Shape().IsMatch(text);
        name = valid ? new(text!) : default;
        return valid;
    }

    /// <exception cref="FormatException"><paramref name="text"/> is not a workflow name.</exception>
    public static WorkflowName Parse(string text) => TryParse(text, out var name) ? name : throw new FormatException("That is not a workflow name.");

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex Shape();
}

/// <summary>One entry of a tenant's catalogue: what may be run, by whom, and with what.</summary>
/// <param name="Path">The engine's webhook path.</param>
/// <param name="Deadline">From the request to the moment the execution is timed out.</param>
/// <param name="Idempotent">Whether the engine may be handed the same execution twice without harm.</param>
/// <param name="AllowedUsers">Slack user ids, as <see cref="WorkflowAccess"/> reads them; together with <paramref name="AllowedGroups"/> empty means everyone
/// in the workspace.</param>
/// <param name="AllowedGroups">Names of groups, lists of user ids kept in the catalogue.</param>
/// <param name="AllowedChannels">Slack channel ids; empty means every channel.</param>
public sealed record Workflow(
    WorkflowName Name,
    WorkflowName Path,
    IReadOnlyList<WorkflowParameter> Parameters,
    TimeSpan Deadline,
    bool Idempotent,
    bool Enabled,
    IReadOnlyList<string> AllowedUsers,
    IReadOnlyList<string> AllowedGroups,
    IReadOnlyList<string> AllowedChannels)
{
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromMinutes(60);

    /// <summary>The longest deadline: a callback token lives for the deadline plus 24 hours and never more than 48.</summary>
    public static readonly TimeSpan LongestDeadline = TimeSpan.FromHours(24);
}

public enum ParameterType { String, Integer, Number, Boolean, Enum }

/// <param name="Default">Used when the parameter is left out; of the parameter's own type.</param>
/// <param name="Values">What an enum allows.</param>
/// <param name="Minimum">For numbers, inclusive.</param>
/// <param name="MaxLength">For strings, in UTF-16 units.</param>
public sealed record WorkflowParameter(
    string Name,
    ParameterType Type,
    bool Required = false,
    JsonElement? Default = null,
    IReadOnlyList<string>? Values = null,
    double? Minimum = null,
    double? Maximum = null,
    int? MaxLength = null,
    string? Description = null);

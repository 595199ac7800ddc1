using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ControlPlane.Text;

namespace ControlPlane.Tenants;

/// <summary>What a workflow is called: 1 to 64 of A–Z, a–z, 0–9, _ and -.</summary>
[JsonConverter(typeof(TextIdConverter<WorkflowName>))]
public readonly partial record struct WorkflowName : ITextId<WorkflowName>
{
    private readonly string? _text;

    private WorkflowName(string text) => _text = text;

    public override string ToString() => TextId.Text<WorkflowName>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out WorkflowName id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static WorkflowName Parse(string text) => TextId.Parse<WorkflowName>(text);

    static string ITextId<WorkflowName>.Kind => "a workflow name";

    static bool ITextId<WorkflowName>.HasShape(string text) => Shape().IsMatch(text);

    static WorkflowName ITextId<WorkflowName>.Of(string text) => new(text);

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex Shape();
}

/// <summary>One entry of a tenant's catalogue: what may be run, by whom, and with what.</summary>
/// <param name="Deadline">From the request to the moment the execution is timed out.</param>
/// <param name="Idempotent">Whether the engine may be handed the same execution twice without harm.</param>
/// <param name="AllowedUsers">Slack user ids, as <see cref="WorkflowAccess"/> reads them; together with <paramref name="AllowedGroups"/> empty means everyone
/// in the workspace.</param>
/// <param name="AllowedGroups">Names of groups, lists of user ids kept in the catalogue.</param>
/// <param name="AllowedChannels">Empty means every channel.</param>
/// <param name="Approval">Who has to approve each execution; null where nobody has to.</param>
public sealed record Workflow(
    WorkflowName Name,
    WebhookPath Path,
    IReadOnlyList<WorkflowParameter> Parameters,
    TimeSpan Deadline,
    bool Idempotent,
    bool Enabled,
    IReadOnlyList<string> AllowedUsers,
    IReadOnlyList<string> AllowedGroups,
    IReadOnlyList<ChannelId> AllowedChannels,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ApprovalRule? Approval = null)
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

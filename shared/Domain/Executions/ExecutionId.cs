using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Executions;

/// <summary>An execution's identifier, <c>exec_</c> and 32 hexadecimal digits, derived from the request so that a repeat is the same execution.</summary>
public readonly partial record struct ExecutionId : ITextId<ExecutionId>
{
    public const string Prefix = "exec_";

    /// <summary>How many digits an id has, and how many of the first ones name an execution at least.</summary>
    public const int AllDigits = 32, FewestDigits = 8;

    private readonly string? _text;

    private ExecutionId(string text) => _text = text;

    /// <summary>The W3C trace id that every log line and request of this execution carries: 32 hexadecimal digits.</summary>
    public string TraceId => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(ToString())).AsSpan(0, 16));

    /// <summary>Its 32 digits.</summary>
    public string Digits => ToString()[Prefix.Length..];

    /// <summary>As many of its first digits as people read and type: they find it where they are unique for its tenant.</summary>
    public string Short => Digits[..FewestDigits];

    public override string ToString() => TextId.Text<ExecutionId>(_text);

    /// <summary>The execution that one Slack request stands for.</summary>
    public static ExecutionId Of(string teamId, string triggerId) =>
        new(Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{teamId}|{triggerId}")).AsSpan(0, 16)));

    /// <summary>The execution that one start by an operator stands for.</summary>
    /// <param name="key">The same for the same start.</param>
    public static ExecutionId OfOperator(TenantId tenant, string key) => Of("operator", $"{tenant}|{key}");     // no workspace is named so

    /// <summary>The execution that one planned time of a schedule stands for.</summary>
    public static ExecutionId OfSchedule(ScheduleId schedule, DateTimeOffset planned) => Of("schedule", $"{schedule}|{planned.ToUnixTimeSeconds()}");

    public static bool TryParse([NotNullWhen(true)] string? text, out ExecutionId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static ExecutionId Parse(string text) => TextId.Parse<ExecutionId>(text);

    static string ITextId<ExecutionId>.Kind => "an execution id";

    static bool ITextId<ExecutionId>.HasShape(string text) => Shape().IsMatch(text);

    static ExecutionId ITextId<ExecutionId>.Of(string text) => new(text);

    [GeneratedRegex(@"\Aexec_[0-9a-f]{32}\z")]
    private static partial Regex Shape();
}

using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Executions;

/// <summary>A schedule's identifier, <c>sch_</c> and 32 hexadecimal digits, derived from the request that made it so that a repeat is the same
/// schedule.</summary>
[JsonConverter(typeof(TextIdConverter<ScheduleId>))]
public readonly partial record struct ScheduleId : ITextId<ScheduleId>
{
    public const string Prefix = "sch_";

    private readonly string? _text;

    private ScheduleId(string text) => _text = text;

    /// <summary>Its 32 digits.</summary>
    public string Digits => ToString()[Prefix.Length..];

    /// <summary>As many of its first digits as people read and type.</summary>
    public string Short => Digits[..ExecutionId.FewestDigits];

    public override string ToString() => TextId.Text<ScheduleId>(_text);

    /// <summary>The schedule that one Slack request stands for.</summary>
    public static ScheduleId Of(string teamId, string triggerId) =>
        new(Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"schedule|{teamId}|{triggerId}")).AsSpan(0, 16)));

    /// <summary>The schedule that an operator makes.</summary>
    /// <param name="key">The same for the same schedule.</param>
    public static ScheduleId OfOperator(TenantId tenant, string key) => Of("operator", $"{tenant}|{key}");

    public static bool TryParse([NotNullWhen(true)] string? text, out ScheduleId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static ScheduleId Parse(string text) => TextId.Parse<ScheduleId>(text);

    static string ITextId<ScheduleId>.Kind => "a schedule id";

    static bool ITextId<ScheduleId>.HasShape(string text) => Shape().IsMatch(text);

    static ScheduleId ITextId<ScheduleId>.Of(string text) => new(text);

    [GeneratedRegex(@"\Asch_[0-9a-f]{32}\z")]
    private static partial Regex Shape();
}

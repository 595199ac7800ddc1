using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ControlPlane.Text;

namespace ControlPlane.Tenants;

// https://docs.slack.dev/reference: Slack calls its ids opaque and writes them in capitals and digits.

/// <summary>A Slack workspace (<c>team_id</c>, <c>T…</c>), or an organisation of an Enterprise Grid (<c>enterprise_id</c>, <c>E…</c>): either may speak for a
/// tenant.</summary>
[JsonConverter(typeof(TextIdConverter<TeamId>))]
public readonly partial record struct TeamId : ITextId<TeamId>
{
    private readonly string? _text;

    private TeamId(string text) => _text = text;

    /// <summary>Whether it is an organisation's: its users' ids mean the same person in every workspace of it.</summary>
    public bool IsEnterprise => ToString()[0] == 'E';

    public override string ToString() => TextId.Text<TeamId>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out TeamId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static TeamId Parse(string text) => TextId.Parse<TeamId>(text);

    static string ITextId<TeamId>.Kind => "a Slack team id";

    static bool ITextId<TeamId>.HasShape(string text) => Shape().IsMatch(text);

    static TeamId ITextId<TeamId>.Of(string text) => new(text);

    [GeneratedRegex(@"\A[A-Z0-9]{1,32}\z")]
    private static partial Regex Shape();
}

/// <summary>A Slack user (<c>user_id</c>, <c>U…</c> or <c>W…</c>). It means somebody in one workspace only.</summary>
[JsonConverter(typeof(TextIdConverter<UserId>))]
public readonly partial record struct UserId : ITextId<UserId>
{
    private readonly string? _text;

    private UserId(string text) => _text = text;

    public override string ToString() => TextId.Text<UserId>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out UserId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static UserId Parse(string text) => TextId.Parse<UserId>(text);

    static string ITextId<UserId>.Kind => "a Slack user id";

    static bool ITextId<UserId>.HasShape(string text) => Shape().IsMatch(text);

    static UserId ITextId<UserId>.Of(string text) => new(text);

    [GeneratedRegex(@"\A[A-Z0-9]{1,32}\z")]
    private static partial Regex Shape();
}

/// <summary>A Slack channel, group or conversation of two (<c>channel_id</c>, <c>C…</c>, <c>G…</c> or <c>D…</c>).</summary>
[JsonConverter(typeof(TextIdConverter<ChannelId>))]
public readonly partial record struct ChannelId : ITextId<ChannelId>
{
    private readonly string? _text;

    private ChannelId(string text) => _text = text;

    public override string ToString() => TextId.Text<ChannelId>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out ChannelId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static ChannelId Parse(string text) => TextId.Parse<ChannelId>(text);

    static string ITextId<ChannelId>.Kind => "a Slack channel id";

    static bool ITextId<ChannelId>.HasShape(string text) => Shape().IsMatch(text);

    static ChannelId ITextId<ChannelId>.Of(string text) => new(text);

    [GeneratedRegex(@"\A[A-Z0-9]{1,32}\z")]
    private static partial Regex Shape();
}

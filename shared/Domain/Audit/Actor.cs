using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Audit;

/// <summary>Who changes something: an operator's ARN or <c>local:</c> and a user, <c>slack:</c> and a workspace with its user, or <c>oidc:</c> and a
/// subject.</summary>
public readonly partial record struct Actor : ITextId<Actor>
{
    private readonly string? _text;

    private Actor(string text) => _text = text;

    public static Actor Of(OperatorId caller) => new(caller.ToString());

    /// <param name="user">Null where Slack does not say which.</param>
    public static Actor OfSlack(TeamId workspace, UserId? user) => new(user is { } by ? $"slack:{workspace}/{by}" : $"slack:{workspace}");

    /// <param name="subject">The identity provider's <c>sub</c>: what it is made of is the provider's choice, and not all of it fits an id.</param>
    public static Actor OfSubject(string subject) => new($"oidc:{Unusual().Replace(subject, "_")}");

    public override string ToString() => TextId.Text<Actor>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out Actor actor) => TextId.TryParse(text, out actor);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static Actor Parse(string text) => TextId.Parse<Actor>(text);

    static string ITextId<Actor>.Kind => "an actor";

    static bool ITextId<Actor>.HasShape(string text) => Shape().IsMatch(text);

    static Actor ITextId<Actor>.Of(string text) => new(text);

    [GeneratedRegex(@"\A(arn:aws[a-z-]*:|local:|slack:|oidc:)[A-Za-z0-9_.,:/+=@|-]{1,1000}\z")]
    private static partial Regex Shape();

    [GeneratedRegex(@"[^A-Za-z0-9_.,:/+=@|-]")]
    private static partial Regex Unusual();
}

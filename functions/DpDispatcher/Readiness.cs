using System.Buffers;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.DpDispatcher;

/// <summary>Whether what was claimed can be sent.</summary>
internal abstract record Readiness
{
    private Readiness() { }

    public sealed record Ready(Engine Engine, DispatchOrder Order) : Readiness;

    public sealed record MustNot(DispatchFailure Failure) : Readiness;

    /// <summary>How much of its life a token must have left when it is sent: n8n gives no leeway, and a late one would look like a forged one.</summary>
    public static readonly TimeSpan TokenReserve = TimeSpan.FromSeconds(3);

    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <param name="order">Null when it is gone, which it is once its token has expired.</param>
    /// <param name="engineIsSilent">Whether the tenant's engine has not answered lately, so that waiting for it is what took so long.</param>
    public static Readiness Of(Execution claimed, DispatchOrder? order, EngineLookup engine, bool engineIsSilent, DateTimeOffset now) => (engine, order) switch
    {
        (EngineLookup.TenantNotActive, _) => new MustNot(DispatchFailure.TenantNotActive),
        (EngineLookup.AddressRefused, _) => new MustNot(DispatchFailure.AddressRefused),
        (EngineLookup.Found, null) => TooLate(claimed, engineIsSilent),
        (EngineLookup.Found, { } late) when LeftOf(late, now) <= TimeSpan.Zero || now >= claimed.DeadlineAt => TooLate(claimed, engineIsSilent),
        (EngineLookup.Found, { } strange) when strange.Tenant != claimed.Tenant || IsNoToken(strange.Token) || IsNoToken(strange.OtherToken ?? "") =>
            new MustNot(DispatchFailure.Unreadable),
        (EngineLookup.Found found, { } ready) => new Ready(found.Engine, ready),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static bool IsNoToken(string text) => text.AsSpan().ContainsAnyExcept(TokenCharacters);

    /// <summary>For how long an order can still be sent.</summary>
    public static TimeSpan LeftOf(DispatchOrder order, DateTimeOffset now) => order.TokenExpiresAt - TokenReserve - now;

    private static MustNot TooLate(Execution claimed, bool engineIsSilent) =>
        new(claimed.Attempts.Count > 0 || engineIsSilent ? DispatchFailure.Unreachable : DispatchFailure.Expired);
}

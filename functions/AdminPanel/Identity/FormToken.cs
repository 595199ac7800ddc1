using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Http;
using ControlPlane.Secrets;

namespace ControlPlane.AdminPanel.Identity;

/// <summary>What shows that a form was one of ours, shown to this visitor in this browser.</summary>
/// <remarks>A cookie that no other site can set or read holds 128 random bits; the forms carry its hash with the identity. So nothing is kept here, and what
/// was shown to one person serves no other: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html</remarks>
internal sealed class FormToken
{
    public const string Field = "token";

    private const string Cookie = "__Host-panel";

    private FormToken(string text, string? setCookie) => (Text, SetCookie) = (text, setCookie);

    public string Text { get; }

    /// <summary>The header that gives the browser its cookie; null where it has one.</summary>
    public string? SetCookie { get; }

    public static FormToken For(Visitor visitor, RawRequest request)
    {
        if (TryCookie(request, out var there))
            return new(TextOf(there, visitor), setCookie: null);
        var made = OneTimeCode.Make();
        return new(TextOf(made, visitor), $"{Cookie}={made.Text}; Path=/; Secure; HttpOnly; SameSite=Strict");
    }

    public static bool Fits(string? text, Visitor visitor, RawRequest request) =>
        text is not null && TryCookie(request, out var cookie)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(TextOf(cookie, visitor)));

    private static string TextOf(OneTimeCode cookie, Visitor visitor) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{cookie.Text}\n{visitor.Issuer}\n{visitor.Subject}")));

    // Over HTTP/2 a browser may send its cookies in several headers, and the load balancer joins them.
    private static bool TryCookie(RawRequest request, [NotNullWhen(true)] out OneTimeCode? code)
    {
        code = null;
        return request.TryHeader("cookie", out var header)
            && header.Split(';', StringSplitOptions.TrimEntries).Where(one => one.StartsWith($"{Cookie}=", StringComparison.Ordinal)).ToList() is [var only]
            && OneTimeCode.TryParse(only[(Cookie.Length + 1)..], out code);
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ControlPlane.Http;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>The token of an <c>Authorization</c> header: RFC 6750 §2.1, and no other place for it.</summary>
internal static partial class BearerToken
{
    public static bool TryRead(RawRequest request, [NotNullWhen(true)] out string? token)
    {
        token = null;
        if (request.TryHeader("authorization", out var header) && Shape().Match(header) is { Success: true } match)
            token = match.Groups["token"].Value;
        return token is not null;
    }

    // One scheme, one blank, one token; the verifier knows what a token looks like.
    [GeneratedRegex(@"\A[Bb][Ee][Aa][Rr][Ee][Rr] (?<token>[A-Za-z0-9._~+/=-]{1,8192})\z")]
    private static partial Regex Shape();
}

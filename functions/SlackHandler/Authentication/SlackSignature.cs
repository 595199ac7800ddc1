using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Http;
using ControlPlane.Secrets;
using ControlPlane.Slack;

namespace ControlPlane.SlackHandler.Authentication;

internal enum SignatureCheck { Genuine, Stale, Forged }

/// <summary>Decides whether Slack signed a request, and recently.</summary>
/// <remarks>HMAC-SHA256 over <c>v0:{timestamp}:{body}</c>: https://docs.slack.dev/authentication/verifying-requests-from-slack</remarks>
internal sealed class SlackSignature(RotatingSecret<SlackSecret> secret, TimeProvider clock)
{
    /// <summary>How far a timestamp may be from now, either way. Slack recommends five minutes.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private const int SignatureLength = 3 + 2 * HMACSHA256.HashSizeInBytes;
    private const int MostTimestampDigits = 12;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    /// <summary>When Slack sent the request, by its own word; meaningful once the check said <see cref="SignatureCheck.Genuine"/>.</summary>
    public static DateTimeOffset SentAt(RawRequest request) =>
        request.TryHeader("x-slack-request-timestamp", out var text) && TryTimestamp(text, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new InvalidOperationException("The timestamp was not checked.");

    /// <returns>A verdict; a missing, repeated or malformed header is <see cref="SignatureCheck.Forged"/>, never an exception.</returns>
    public async ValueTask<SignatureCheck> CheckAsync(RawRequest request, CancellationToken cancel)
    {
        if (!request.TryHeader("x-slack-request-timestamp", out var timestamp) || !TryTimestamp(timestamp, out var sentAt))
            return SignatureCheck.Forged;
        if (!request.TryHeader("x-slack-signature", out var signature) || Parse(signature) is not { } claimed)
            return SignatureCheck.Forged;
        if (long.Abs(clock.GetUtcNow().ToUnixTimeSeconds() - sentAt) > (long)Tolerance.TotalSeconds)
            return SignatureCheck.Stale;

        // Slack may use a newer secret already than the one in memory.
        return await secret.FitsAsync(versions => Fits(versions, timestamp, request.Body.Span, claimed), cancel)
            ? SignatureCheck.Genuine
            : SignatureCheck.Forged;
    }

    private static bool Fits(SecretVersions<SlackSecret> secrets, string timestamp, ReadOnlySpan<byte> body, ReadOnlySpan<byte> claimed)
    {
        var prefix = Encoding.ASCII.GetBytes($"v0:{timestamp}:");
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var fits = false;
        foreach (var version in secrets.All)
        {
            using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, version.Value.SigningKey);
            hmac.AppendData(prefix);
            hmac.AppendData(body);
            hmac.GetHashAndReset(mac);
            fits |= CryptographicOperations.FixedTimeEquals(mac, claimed);      // never ||: every secret is always tried
        }
        return fits;
    }

    // Digits only: long.TryParse by itself takes blanks, signs, a line feed and NUL.
    private static bool TryTimestamp(string text, out long seconds)
    {
        seconds = 0;
        return text.Length is > 0 and <= MostTimestampDigits && text.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0 && text[0] != '0'
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds);
    }

    // Lower-case digits only, as Slack writes them: one spelling of a signature is enough.
    private static byte[]? Parse(string signature) =>
        signature.Length == SignatureLength
            && signature.StartsWith("v0=", StringComparison.Ordinal) && !signature.AsSpan(3).ContainsAnyExcept(LowerHex)
            ? Convert.FromHexString(signature.AsSpan(3))
            : null;
}

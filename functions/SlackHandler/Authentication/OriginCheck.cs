using System.Text;
using ControlPlane.Http;
using ControlPlane.Secrets;
using ControlPlane.Slack;

namespace ControlPlane.SlackHandler.Authentication;

/// <summary>Whether a request came through CloudFront, and so past the firewall: only CloudFront knows the value of this header.</summary>
internal sealed class OriginCheck(RotatingSecret<SlackSecret> secret)
{
    private const int LongestValue = 256;

    public async ValueTask<bool> PassesAsync(RawRequest request, CancellationToken cancel)
    {
        if (!request.TryHeader("x-origin-verify", out var value) || value.Length is 0 or > LongestValue)
            return false;

        var claimed = Encoding.UTF8.GetBytes(value);
        return await secret.FitsAsync(versions => Fits(versions, claimed), cancel);
    }

    private static bool Fits(SecretVersions<SlackSecret> secrets, ReadOnlySpan<byte> claimed)
    {
        var fits = false;
        foreach (var version in secrets.All)
            fits |= version.Value.IsOrigin(claimed);
        return fits;
    }
}

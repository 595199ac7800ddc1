using System.Security.Cryptography;
using System.Text;
using ControlPlane.Executions;
using ControlPlane.Secrets;
using ControlPlane.Slack;

namespace ControlPlane.SlackHandler.Replies;

/// <summary>Encrypts reply addresses for the table: AES-256-GCM, tied to the execution they belong to.</summary>
/// <remarks>Layout: 12 bytes of nonce, 16 of tag, the text. Nonces are random: at 2^32 of them under one key the risk would be 2^-32 (NIST SP 800-38D §8.3),
/// and the key is replaced with every rotation of the secret.</remarks>
internal sealed class ReplySeal(RotatingSecret<SlackSecret> secret)
{
    private const int NonceSize = 12;
    private const int TagSize = 16;

    public async ValueTask<byte[]> SealAsync(ReplyUrl url, ExecutionId execution, CancellationToken cancel)
    {
        var key = (await secret.GetAsync(cancel)).Current.Value.ReplyKey;
        var text = Encoding.UTF8.GetBytes(url.Url.AbsoluteUri);
        var seal = new byte[NonceSize + TagSize + text.Length];
        RandomNumberGenerator.Fill(seal.AsSpan(0, NonceSize));
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(seal.AsSpan(0, NonceSize), text, seal.AsSpan(NonceSize + TagSize), seal.AsSpan(NonceSize, TagSize), Purpose(execution));
        return seal;
    }

    /// <returns>Null when no key fits, or what was sealed may not be posted to.</returns>
    public async ValueTask<ReplyUrl?> OpenAsync(byte[] seal, ExecutionId execution, CancellationToken cancel)
    {
        if (TryOpen(seal, execution, await secret.GetAsync(cancel), out var url))
            return url;
        return await secret.RefreshAsync(cancel) && TryOpen(seal, execution, await secret.GetAsync(cancel), out url) ? url : null;
    }

    private static bool TryOpen(byte[] seal, ExecutionId execution, SecretVersions<SlackSecret> secrets, out ReplyUrl? url)
    {
        url = null;
        if (seal.Length <= NonceSize + TagSize)
            return false;

        var text = new byte[seal.Length - NonceSize - TagSize];
        foreach (var version in secrets.All)
        {
            using var aes = new AesGcm(version.Value.ReplyKey, TagSize);
            try
            {
                aes.Decrypt(seal.AsSpan(0, NonceSize), seal.AsSpan(NonceSize + TagSize), seal.AsSpan(NonceSize, TagSize), text, Purpose(execution));
                return ReplyUrl.TryParse(Encoding.UTF8.GetString(text), out url);
            }
            catch (AuthenticationTagMismatchException)
            {
                // Sealed under the other version's key.
            }
        }
        return false;
    }

    // An address copied to another execution's item does not open there.
    private static byte[] Purpose(ExecutionId execution) => Encoding.ASCII.GetBytes($"response_url|{execution}");
}

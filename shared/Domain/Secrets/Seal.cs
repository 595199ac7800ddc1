using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.Secrets;

/// <summary>Text encrypted for a table: AES-256-GCM, tied to the purpose that it was encrypted for.</summary>
/// <remarks>Layout: 12 bytes of nonce, 16 of tag, the text. Nonces are random: at 2^32 of them under one key the risk would be 2^-32 (NIST SP 800-38D
/// §8.3).</remarks>
public static class Seal
{
    public const int KeySize = 32;

    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <param name="key">32 bytes.</param>
    /// <param name="purpose">What the text is and whose: a seal that is copied elsewhere does not open there.</param>
    public static byte[] Close(byte[] key, string text, string purpose)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var seal = new byte[NonceSize + TagSize + plain.Length];
        RandomNumberGenerator.Fill(seal.AsSpan(0, NonceSize));
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(
            seal.AsSpan(0, NonceSize), plain, seal.AsSpan(NonceSize + TagSize), seal.AsSpan(NonceSize, TagSize), Encoding.ASCII.GetBytes(purpose));
        return seal;
    }

    /// <returns>Null when none of the keys fits, or the purpose is another.</returns>
    public static string? Open(byte[] seal, IEnumerable<byte[]> keys, string purpose)
    {
        if (seal.Length <= NonceSize + TagSize)
            return null;

        var text = new byte[seal.Length - NonceSize - TagSize];
        foreach (var key in keys)
        {
            using var aes = new AesGcm(key, TagSize);
            try
            {
                aes.Decrypt(
                    seal.AsSpan(0, NonceSize), seal.AsSpan(NonceSize + TagSize), seal.AsSpan(NonceSize, TagSize), text, Encoding.ASCII.GetBytes(purpose));
                return Encoding.UTF8.GetString(text);
            }
            catch (AuthenticationTagMismatchException)
            {
                // Sealed under another generation's key.
            }
        }
        return null;
    }
}

using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace ControlPlane.Text;

/// <summary>Base64 in its one canonical spelling: padded, no blanks, no unused bits (RFC 4648 §3.5, §4).</summary>
public static class StrictBase64
{
    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[text.Length / 4 * 3];
        if (text.Length % 4 != 0 || text.ContainsAny(" \t\r\n") || !Convert.TryFromBase64Chars(text, bytes, out var written))
            return null;

        var decoded = bytes.AsSpan(0, written);
        if (HasUnusedBits(text, decoded))
            return null;
        return written == bytes.Length ? bytes : decoded.ToArray();
    }

    // Only the last group can carry bits that decoding drops: writing it again must give the same characters.
    private static bool HasUnusedBits(ReadOnlySpan<char> text, ReadOnlySpan<byte> decoded)
    {
        if (text.IsEmpty || text[^1] != '=')
            return false;
        var rest = decoded[^(decoded.Length % 3)..];
        Span<byte> again = stackalloc byte[4];
        return Base64.EncodeToUtf8(rest, again, out _, out _) != OperationStatus.Done || Encoding.ASCII.GetString(again) != text[^4..].ToString();
    }
}

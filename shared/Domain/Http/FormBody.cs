using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ControlPlane.Http;

/// <summary>A form body read as browsers read it.</summary>
/// <remarks><c>application/x-www-form-urlencoded</c> parsing, https://url.spec.whatwg.org/#urlencoded-parsing: over bytes, always UTF-8, names compared as they
/// are.</remarks>
public sealed class FormBody
{
    private FormBody(IReadOnlyList<KeyValuePair<string, string>> pairs) => Pairs = pairs;

    /// <summary>In the order sent, repeats kept.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Pairs { get; }

    public static FormBody Parse(ReadOnlySpan<byte> body)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var range in body.Split((byte)'&'))
        {
            var pair = body[range];
            if (pair.IsEmpty)
                continue;
            var equals = pair.IndexOf((byte)'=');
            pairs.Add(equals < 0 ? new(Decode(pair), "") : new(Decode(pair[..equals]), Decode(pair[(equals + 1)..])));
        }
        return new(pairs);
    }

    /// <summary>Whether a body has this pair, spelt exactly so. Decodes nothing, so it may be asked of a body that nobody vouches for.</summary>
    public static bool Says(ReadOnlySpan<byte> body, ReadOnlySpan<byte> pair)
    {
        foreach (var range in body.Split((byte)'&'))
            if (body[range].SequenceEqual(pair))
                return true;
        return false;
    }

    /// <summary>A field that occurs exactly once and is not empty.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out string? value)
    {
        value = Pairs.Where(pair => pair.Key == name).Select(pair => pair.Value).FirstOrDefault();
        return Count(name) == 1 && !string.IsNullOrEmpty(value);
    }

    public int Count(string name) => Pairs.Count(pair => pair.Key == name);

    private static string Decode(ReadOnlySpan<byte> text)
    {
        var bytes = text.Length <= 1024 ? stackalloc byte[text.Length] : new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit((char)text[i + 1]) && char.IsAsciiHexDigit((char)text[i + 2]))
            {
                bytes[length++] = (byte)(HexValue(text[i + 1]) << 4 | HexValue(text[i + 2]));
                i += 2;
            }
            else
            {
                bytes[length++] = text[i] == '+' ? (byte)' ' : text[i];
            }
        }
        return Encoding.UTF8.GetString(bytes[..length]);
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

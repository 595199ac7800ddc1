using System.Text;

namespace ControlPlane.Bench.Fuzz;

/// <summary>Inputs made of those that are kept, by a seed. It sees no coverage: that is AFL's part. Here it looks that nothing was broken since.</summary>
internal sealed class Mutator(IReadOnlyList<byte[]> kept, int seed)
{
    private const int Longest = 16 * 1024;

    // What parsers stumble over.
    private static readonly byte[][] Words =
    [
        .. new[]
        {
            "null", "true", "-1", "0", "1e400", "-0.0", "9223372036854775808", "1e-400", "{}", "[]", "[[[[[[[[[[[[[[[[[[", "\"\"", "\"\\ud800\"", "\\u0000", "\\", "\"",
            "%", "%F", "%00", "%ED%A0%80", "&", "=", "+", "\r\n", "\n", "\t", " ", "'", "“", "—", "\u200B", "\uFEFF", "٣", "..", "//", "@", ":", ";", ",", "*/0", "?",
            "9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "+14:00",
        }.Select(Encoding.UTF8.GetBytes), [0xED, 0xA0, 0x80], [0xFF], [0xC0, 0x80], [0],
    ];

    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        var bytes = kept[_random.Next(kept.Count)].ToList();
        for (var changes = _random.Next(1, 6); changes > 0; changes--)
            Change(bytes);
        return [.. bytes.Take(Longest)];
    }

    private void Change(List<byte> bytes)
    {
        var at = _random.Next(bytes.Count + 1);
        var length = Math.Min(_random.Next(1, 16), bytes.Count - at);
        switch (_random.Next(6))
        {
            case 0 when length > 0:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when length > 0:
                bytes.RemoveRange(at, length);
                break;
            case 2:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 3:
                bytes.InsertRange(at, Words[_random.Next(Words.Length)]);
                break;
            case 4 when length > 0:
                bytes.RemoveRange(at, length);
                bytes.InsertRange(at, Words[_random.Next(Words.Length)]);
                break;
            case 5:
                var other = kept[_random.Next(kept.Count)];
                var from = _random.Next(other.Length + 1);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + _random.Next(64))]);
                break;
        }
    }
}

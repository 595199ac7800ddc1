using System.Globalization;
using System.Text;

namespace ControlPlane.Text;

/// <summary>Characters that nobody sees: blanks, control and format characters, and those that Unicode gives no ink.</summary>
public static class Invisible
{
    /// <summary>Whether nothing of it would be visible.</summary>
    public static bool IsBlank(string? text)
    {
        foreach (var rune in (text ?? "").EnumerateRunes())
            if (!Is(rune))
                return false;
        return true;
    }

    /// <summary>The text without what is invisible around it.</summary>
    public static string Trim(string text)
    {
        var (start, end, at) = (text.Length, 0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Is(rune))
                (start, end) = (Math.Min(start, at), at + rune.Utf16SequenceLength);
            at += rune.Utf16SequenceLength;
        }
        return end == 0 ? "" : text[start..end];
    }

    public static bool Is(Rune rune) => Rune.IsWhiteSpace(rune) || IsFormat(rune) || Rune.IsControl(rune) || HasNoInk(rune.Value);

    /// <summary>Marks of direction, byte order marks, joiners, tags: what keyboards and other programs leave between the letters.</summary>
    public static bool IsFormat(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format;

    // Letters and marks by category: the fillers of Hangul and Braille, the joiner of graphemes, selectors of variants.
    private static bool HasNoInk(int value) => value is
        0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or (>= 0x180B and <= 0x180F) or 0x2800 or 0x3164 or 0xFFA0
            or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);
}

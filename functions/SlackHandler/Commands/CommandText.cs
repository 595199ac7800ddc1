using System.Text;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What a user typed, word by word. Knows the quotes that keyboards make of <c>"</c> and <c>'</c>, the dashes they make of <c>--</c>, and the blanks
/// that nobody sees.</summary>
internal static class CommandText
{
    private const string DoubleQuotes = "\"“”„‟«»″＂〝〞〟「」『』❝❞";
    private const string SingleQuotes = "'‘’‚‛‹›′＇❛❜";
    private const string Dashes = "—–―";

    // What other programs leave at the ends of what is copied from them, and what never belongs to a value there.
    private const string Litter = "\u200B\u2060\uFEFF";

    /// <summary>Cuts a text at its blanks. A quote counts where a word or a value begins, and ends at the next quote of its kind that a blank
    /// follows.</summary>
    /// <remarks>So <c>note=it's</c> needs no quotes at all, and <c>note='it's done'</c> is one value. A JSON object is one word, blanks and all.
    /// Format characters count as blanks around words, and are no part of names; values are kept as typed, for some letters are made with them.</remarks>
    /// <returns>Null when a quote is never closed.</returns>
    public static IReadOnlyList<Word>? Words(string text)
    {
        var words = new List<Word>();
        for (var at = SkipInvisible(text, 0); at < text.Length; at = SkipInvisible(text, at))
        {
            if (Next(text, ref at) is not { } word)
                return null;
            words.Add(word);
        }
        return words;
    }

    /// <summary><c>--name</c>, or with the dash that a keyboard made of the two.</summary>
    public static string? Flag(string word) =>
        word.StartsWith("--", StringComparison.Ordinal) ? word[2..] : word.Length > 1 && Dashes.Contains(word[0], StringComparison.Ordinal) ? word[1..] : null;

    /// <summary>A JSON object as keyboards and other programs leave it, made what it was meant to be: plain quotes around the texts, and nothing invisible
    /// between them.</summary>
    /// <remarks>A text ends at the next quote of whatever kind that something follows which can follow a text.</remarks>
    /// <param name="trustsPlain">Whether one begun with a plain quote is JSON's own, and ends at the next plain one.</param>
    public static string WithPlainQuotes(string json, bool trustsPlain)
    {
        var plain = new StringBuilder(json.Length);
        for (var at = 0; at < json.Length;)
        {
            if (DoubleQuotes.Contains(json[at], StringComparison.Ordinal))
            {
                var isJson = trustsPlain && json[at] == '"';
                var end = EndOfText(json, at, isJson);
                plain.Append('"').Append(Escaped(json[(at + 1)..Math.Min(end, json.Length)], isJson)).Append(end < json.Length ? "\"" : "");
                at = end + 1;
            }
            else if (SkipInvisible(json, at) is var next && next > at)
            {
                plain.Append(' ');
                at = next;
            }
            else
            {
                plain.Append(json[at++]);
            }
        }
        return plain.ToString();
    }

    private static int EndOfText(string json, int start, bool isJson)
    {
        for (var at = start + 1; at < json.Length; at++)
        {
            if (json[at] == '\\')
                at++;
            else if (isJson ? json[at] == '"' : DoubleQuotes.Contains(json[at], StringComparison.Ordinal) && CanFollowText(json, at + 1))
                return at;
        }
        return json.Length;
    }

    private static bool CanFollowText(string json, int at) =>
        SkipInvisible(json, at) is var next && (next == json.Length || json[next] is ':' or ',' or '}' or ']');

    // Plain quotes inside a text that others surround, and line feeds inside any, were never escaped by whoever typed them.
    private static string Escaped(string text, bool isJson)
    {
        var plain = isJson ? text : text.Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        return plain.AsSpan().ContainsAnyInRange('\0', '\u001f')
            ? string.Concat(plain.Select(letter => letter < ' ' ? string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"\\u{(int)letter:x4}") : letter.ToString()))
            : plain;
    }

    private static Word? Next(string text, ref int at)
    {
        if (IsObjectAt(text, at, out var start))
        {
            var end = text.LastIndexOf('}');
            if (end < start)
                return null;
            var behind = SkipInvisible(text, end + 1);
            at = start > at && behind < text.Length && SingleQuotes.Contains(text[behind], StringComparison.Ordinal) ? behind + 1 : end + 1;
            return new Word(null, text[start..(end + 1)], IsObject: true);
        }

        var name = new StringBuilder();
        string? key = null;
        while (at < text.Length && !char.IsWhiteSpace(text[at]))
        {
            if (name.Length == 0 && SkipFormat(text, at) is var next && next < text.Length && FamilyOf(text[next]) is { } family)
            {
                at = next;
                return Quoted(text, ref at, family) is { } value ? new Word(key, value, IsObject: false) : null;
            }
            if (text[at] == '=' && key is null)
            {
                key = WithoutFormat(name.ToString());
                name.Clear();
                at++;
                continue;
            }
            name.Append(text[at++]);
        }
        var typed = name.ToString();
        return new Word(key, key is null ? WithoutFormat(typed) : typed.Trim(Litter.ToCharArray()), IsObject: false);
    }

    private static bool IsObjectAt(string text, int at, out int start)
    {
        start = SingleQuotes.Contains(text[at], StringComparison.Ordinal) && SkipInvisible(text, at + 1) is var next && next < text.Length ? next : at;
        return text[start] == '{';
    }

    private static string? FamilyOf(char quote) =>
        DoubleQuotes.Contains(quote, StringComparison.Ordinal) ? DoubleQuotes : SingleQuotes.Contains(quote, StringComparison.Ordinal) ? SingleQuotes : null;

    private static string? Quoted(string text, ref int at, string family)
    {
        for (var end = at + 1; end < text.Length; end++)
        {
            if (!family.Contains(text[end], StringComparison.Ordinal) || (end + 1 < text.Length && SkipInvisible(text, end + 1) == end + 1))
                continue;
            var value = text[(at + 1)..end];
            at = end + 1;
            return value;
        }
        return null;
    }

    /// <summary>Behind the blanks and format characters that begin there.</summary>
    private static int SkipInvisible(string text, int at) => Skip(text, at, rune => Rune.IsWhiteSpace(rune) || Invisible.IsFormat(rune));

    private static int SkipFormat(string text, int at) => Skip(text, at, Invisible.IsFormat);

    private static int Skip(string text, int at, Func<Rune, bool> isSkipped)
    {
        while (at < text.Length && Rune.TryGetRuneAt(text, at, out var rune) && isSkipped(rune))
            at += rune.Utf16SequenceLength;
        return at;
    }

    private static string WithoutFormat(string name)
    {
        var kept = new StringBuilder(name.Length);
        foreach (var rune in name.EnumerateRunes())
            if (!Invisible.IsFormat(rune))
                kept.Append(rune);
        return kept.ToString();
    }
}

/// <summary>One word of a command line.</summary>
/// <param name="Key">What stands before the first <c>=</c>; null when there is none.</param>
/// <param name="Value">The word, or the value behind its key, without the quotes around it.</param>
/// <param name="IsObject">Whether it is a JSON object as typed.</param>
internal readonly record struct Word(string? Key, string Value, bool IsObject);

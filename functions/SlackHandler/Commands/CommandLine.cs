using System.Text;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What a user typed, word by word. Knows the quotes that keyboards make of <c>"</c> and <c>'</c>, and the dashes they make of <c>--</c>.</summary>
internal static class CommandLine
{
    private const string DoubleQuotes = "\"“”„‟«»";
    private const string SingleQuotes = "'‘’‚‛";
    private const string Dashes = "—–―";

    /// <summary>Cuts a text at its blanks. A quote counts where a word or a value begins, and ends at the next quote of its kind that a blank follows.</summary>
    /// <remarks>So <c>note=it's</c> needs no quotes at all, and <c>note='it's done'</c> is one value. A JSON object is one word, blanks and all.</remarks>
    /// <returns>Null when a quote is never closed.</returns>
    public static IReadOnlyList<Word>? Words(string text)
    {
        var words = new List<Word>();
        for (var at = 0; at < text.Length;)
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
                continue;
            }
            if (Next(text, ref at) is not { } word)
                return null;
            words.Add(word);
        }
        return words;
    }

    /// <summary><c>--name</c>, or with the dash that a keyboard made of the two.</summary>
    public static string? Flag(string word) =>
        word.StartsWith("--", StringComparison.Ordinal) ? word[2..] : word.Length > 1 && Dashes.Contains(word[0], StringComparison.Ordinal) ? word[1..] : null;

    /// <summary>The text with typewriter quotes in place of a keyboard's.</summary>
    public static string WithPlainQuotes(string json) => string.Create(json.Length, json, (plain, original) =>
    {
        for (var i = 0; i < plain.Length; i++)
            plain[i] = DoubleQuotes.Contains(original[i], StringComparison.Ordinal) ? '"' : original[i];
    });

    private static Word? Next(string text, ref int at)
    {
        if (IsObjectAt(text, at, out var start))
        {
            var end = text.LastIndexOf('}');
            if (end < start)
                return null;
            at = start > at && end + 1 < text.Length && SingleQuotes.Contains(text[end + 1], StringComparison.Ordinal) ? end + 2 : end + 1;
            return new Word(null, text[start..(end + 1)], IsObject: true);
        }

        var name = new StringBuilder();
        string? key = null;
        while (at < text.Length && !char.IsWhiteSpace(text[at]))
        {
            if (name.Length == 0 && FamilyOf(text[at]) is { } family)
                return Quoted(text, ref at, family) is { } value ? new Word(key, value, IsObject: false) : null;
            if (text[at] == '=' && key is null)
            {
                key = name.ToString();
                name.Clear();
                at++;
                continue;
            }
            name.Append(text[at++]);
        }
        return new Word(key, name.ToString(), IsObject: false);
    }

    private static bool IsObjectAt(string text, int at, out int start)
    {
        start = SingleQuotes.Contains(text[at], StringComparison.Ordinal) && at + 1 < text.Length ? at + 1 : at;
        return text[start] == '{';
    }

    private static string? FamilyOf(char quote) =>
        DoubleQuotes.Contains(quote, StringComparison.Ordinal) ? DoubleQuotes : SingleQuotes.Contains(quote, StringComparison.Ordinal) ? SingleQuotes : null;

    private static string? Quoted(string text, ref int at, string family)
    {
        for (var end = at + 1; end < text.Length; end++)
        {
            if (!family.Contains(text[end], StringComparison.Ordinal) || (end + 1 < text.Length && !char.IsWhiteSpace(text[end + 1])))
                continue;
            var value = text[(at + 1)..end];
            at = end + 1;
            return value;
        }
        return null;
    }
}

/// <summary>One word of a command line.</summary>
/// <param name="Key">What stands before the first <c>=</c>; null when there is none.</param>
/// <param name="Value">The word, or the value behind its key, without the quotes around it.</param>
/// <param name="IsObject">Whether it is a JSON object as typed.</param>
internal readonly record struct Word(string? Key, string Value, bool IsObject);

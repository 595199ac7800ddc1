namespace ControlPlane.Text;

/// <summary>Text from tenants, engines and users, for a terminal: nothing in it moves the cursor, rings, or starts a new line.</summary>
public static class Plain
{
    public static string Text(string text) => !text.Any(IsUnsafe)
        ? text
        : string.Create(text.Length, text, (safe, original) =>
        {
            for (var i = 0; i < safe.Length; i++)
                safe[i] = IsUnsafe(original[i]) ? '\uFFFD' : original[i];
        });

    // Control characters, line and paragraph separators, and those that turn the direction of writing.
    private static bool IsUnsafe(char c) => char.IsControl(c)
        || c is '\u2028' or '\u2029' or (>= '\u200b' and <= '\u200f') or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\ufeff';
}

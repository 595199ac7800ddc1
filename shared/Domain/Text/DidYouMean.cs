namespace ControlPlane.Text;

/// <summary>Guesses what somebody meant to type.</summary>
public static class DidYouMean
{
    private const int LongestWord = 64;

    /// <returns>The candidate that the fewest slips of the finger turn into <paramref name="typed"/>; null when none is near.</returns>
    public static string? Nearest(string typed, IEnumerable<string> candidates)
    {
        if (typed.Length is 0 or > LongestWord)
            return null;
        var nearest = candidates
            .Select(candidate => (candidate, distance: Distance(typed.ToLowerInvariant(), candidate.ToLowerInvariant())))
            .OrderBy(pair => pair.distance).ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .FirstOrDefault();
        var tolerated = typed.Length <= 4 ? 1 : typed.Length <= 8 ? 2 : 3;
        return nearest.candidate is not null && nearest.distance <= tolerated ? nearest.candidate : null;
    }

    /// <summary>Damerau–Levenshtein with adjacent swaps: a letter too many, too few, wrong, or two swapped, is one slip.</summary>
    internal static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var same = a[i - 1] == b[j - 1] ? 0 : 1;
                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + same);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }
        return rows[a.Length, b.Length];
    }
}

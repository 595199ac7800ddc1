namespace ControlPlane.Operator.Output;

/// <summary>How a column's cells stand.</summary>
internal enum ColumnKind
{
    /// <summary>An id, a state, a time: on one line, always, so that it can be read and copied.</summary>
    Whole,

    /// <summary>Whole, and at the right.</summary>
    Number,

    /// <summary>Words, which may fold.</summary>
    Prose,
}

/// <summary>A column of a table.</summary>
/// <param name="Rank">0 is there whatever the width; of the others the highest goes first where the width does not suffice.</param>
internal sealed record Column(string Name, int Rank = 0, ColumnKind Kind = ColumnKind.Whole)
{
    private const int LeastProse = 20, Between = 2;

    public static implicit operator Column(string name) => new(name);

    public static Column Number(string name, int rank = 0) => new(name, rank, ColumnKind.Number);

    public static Column Prose(string name, int rank = 0) => new(name, rank, ColumnKind.Prose);

    /// <summary>Which columns a width has room for.</summary>
    /// <param name="widths">What each needs on one line.</param>
    /// <returns>Their places, in order; null when not even those of rank 0 have room beside each other.</returns>
    public static IReadOnlyList<int>? Fitting(IReadOnlyList<Column> columns, IReadOnlyList<int> widths, int width)
    {
        var kept = Enumerable.Range(0, columns.Count).ToList();
        while (kept.Sum(Needed) + ((kept.Count - 1) * Between) > width)
        {
            var least = kept.MaxBy(at => (columns[at].Rank, at));
            if (columns[least].Rank == 0)
                return null;
            kept.Remove(least);
        }
        return kept;

        int Needed(int at) => columns[at].Kind == ColumnKind.Prose ? Math.Min(widths[at], LeastProse) : widths[at];
    }
}

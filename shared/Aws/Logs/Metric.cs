namespace ControlPlane.Aws.Logs;

public enum MetricUnit { Count, Milliseconds, Seconds }

/// <summary>By what a metric's values are told apart. It takes a handful of values, never an id: each new value is a new metric on the bill.</summary>
public enum Dimension { Change, Decision, FailureCode, Liveness, Outcome, Result }

/// <summary>What CloudWatch keeps as one metric, and one alarm can watch: a metric, with one value of its dimension if it has one.</summary>
public readonly record struct MetricSeries(string Metric, string? Dimension = null, string? Value = null)
{
    public override string ToString() => Dimension is null ? Metric : $"{Metric} {Dimension}={Value}";
}

/// <summary>A metric that a function writes. All there are stand in <see cref="MetricCatalogue"/>.</summary>
public abstract class Metric
{
    private Metric(IReadOnlyList<string> functions, string name, MetricUnit unit) => (Functions, Name, Unit) = (functions, name, unit);

    /// <summary>Those that write it, by their folders' names.</summary>
    public IReadOnlyList<string> Functions { get; }

    public string Name { get; }
    public MetricUnit Unit { get; }

    /// <summary>Null when it has none.</summary>
    public abstract Dimension? Dimension { get; }

    /// <summary>What of it an alarm watches.</summary>
    public abstract IReadOnlyList<MetricSeries> Watched { get; }

    /// <summary>A metric without a dimension.</summary>
    public sealed class Plain : Metric
    {
        internal Plain(IReadOnlyList<string> functions, string name, MetricUnit unit, bool isWatched)
            : base(functions, name, unit) => Watched = isWatched ? [new(name)] : [];

        public override Dimension? Dimension => null;
        public override IReadOnlyList<MetricSeries> Watched { get; }
    }

    /// <summary>A metric whose values are told apart by one dimension.</summary>
    public sealed class Split : Metric
    {
        internal Split(IReadOnlyList<string> functions, string name, MetricUnit unit, Dimension by, IEnumerable<string> watched)
            : base(functions, name, unit) => (Dimension, Watched) = (by, [.. watched.Select(value => new MetricSeries(name, by.ToString(), value))]);

        public override Dimension? Dimension { get; }
        public override IReadOnlyList<MetricSeries> Watched { get; }
    }
}

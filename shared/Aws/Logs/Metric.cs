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
    private Metric(string function, string name, MetricUnit unit) => (Function, Name, Unit) = (function, name, unit);

    /// <summary>The function that writes it, by its folder's name.</summary>
    public string Function { get; }

    public string Name { get; }
    public MetricUnit Unit { get; }

    /// <summary>Null when it has none.</summary>
    public abstract Dimension? Dimension { get; }

    /// <summary>What of it an alarm watches.</summary>
    public abstract IReadOnlyList<MetricSeries> Watched { get; }

    /// <summary>A metric without a dimension.</summary>
    public sealed class Plain : Metric
    {
        internal Plain(string function, string name, MetricUnit unit, bool isWatched)
            : base(function, name, unit) => Watched = isWatched ? [new(name)] : [];

        public override Dimension? Dimension => null;
        public override IReadOnlyList<MetricSeries> Watched { get; }
    }

    /// <summary>A metric whose values are told apart by one dimension.</summary>
    public sealed class Split : Metric
    {
        internal Split(string function, string name, MetricUnit unit, Dimension by, IEnumerable<string> watched)
            : base(function, name, unit) => (Dimension, Watched) = (by, [.. watched.Select(value => new MetricSeries(name, by.ToString(), value))]);

        public override Dimension? Dimension { get; }
        public override IReadOnlyList<MetricSeries> Watched { get; }
    }
}

namespace ControlPlane.Sidecar;

/// <summary>How busy a GPU was, as its driver noted it.</summary>
/// <param name="TimeUs">End of the period, by the driver's clock: microseconds since 1970.</param>
/// <param name="Percent">Of the period, during which at least one kernel ran.</param>
internal readonly record struct UtilizationSample(long TimeUs, double Percent);

/// <summary>Adds up one GPU's busy time from its driver's samples.</summary>
/// <remarks>
/// Each sample tells of the period that ends with it, from a sixth of a second to a second long depending on the product
/// (https://docs.nvidia.com/deploy/nvml-api/structnvmlUtilization__t.html). The sum over all of them is the busy time, whatever its pattern.
/// Where samples are missing, the time between counts as lost: nobody knows what was done in it.
/// </remarks>
/// <param name="seenUs">Up to when it is counted already; 0 for nothing.</param>
internal sealed class GpuTime(long seenUs = 0)
{
    private const long ShortestPeriodUs = 10_000;
    private const long LongestPeriodUs = 1_200_000;
    private const long UsualPeriodUs = 166_667;

    // One missing sample is bridged by the next; with two or more, something was lost.
    private const double LongestStep = 2.5;

    // The newest sample is up to a period old, and readings come when they come.
    private const double MostOwedMs = 2 * LongestPeriodUs / 1000.0;

    private double _owedMs;                                 // time that passed, and was neither covered nor lost so far
    private long _periodUs;                                 // of this product, once it is known

    public long SeenUs { get; private set; } = seenUs;

    /// <summary>Goes on from a time up to which somebody else has counted.</summary>
    public void SkipTo(long timeUs) => SeenUs = Math.Max(SeenUs, timeUs);

    /// <summary>Begins again at a time that lies before what was seen: the driver's clock was set back.</summary>
    public void BeginAgainAt(long timeUs) => SeenUs = timeUs;

    /// <summary>Adds what is new among the samples.</summary>
    /// <param name="since">Time since they were last read, by a clock that nobody sets; null at the first reading, when only the driver's clock knows.</param>
    public GpuSpan Add(IEnumerable<UtilizationSample> samples, TimeSpan? since)
    {
        var news = samples.Where(sample => sample.TimeUs > SeenUs).OrderBy(sample => sample.TimeUs).ToList();
        LearnPeriod(news);
        var period = _periodUs > 0 ? _periodUs : UsualPeriodUs;
        var span = default(GpuSpan);
        foreach (var sample in news)
        {
            var step = SeenUs == 0 ? period : sample.TimeUs - SeenUs;
            var known = step <= (_periodUs > 0 ? period * LongestStep : LongestPeriodUs) ? step : period;
            span += Plausible.Percent(sample.Percent) is { } percent
                ? new(percent / 100 * known / 1000, known / 1000.0, (step - known) / 1000.0)
                : new(0, 0, step / 1000.0);
            SeenUs = sample.TimeUs;
        }
        return since is { } passed ? Held(span, passed.TotalMilliseconds) : span;
    }

    // The driver's clock is the machine's, and that can be set: forward it invents a gap, back it hides one. The time that really passed is the judge.
    private GpuSpan Held(GpuSpan span, double passedMs)
    {
        span = span with { LostMs = Math.Min(span.LostMs, Math.Max(0, passedMs - span.CoveredMs)) };
        _owedMs = Math.Max(-MostOwedMs, _owedMs + passedMs - span.CoveredMs - span.LostMs);
        if (_owedMs <= MostOwedMs)
            return span;
        span = span with { LostMs = span.LostMs + _owedMs };
        _owedMs = 0;
        return span;
    }

    private void LearnPeriod(List<UtilizationSample> news)
    {
        var steps = news.Zip(news.Skip(1), (one, next) => next.TimeUs - one.TimeUs)
            .Where(step => step is >= ShortestPeriodUs and <= LongestPeriodUs).Order().ToList();
        if (steps.Count > 0)
            _periodUs = steps[steps.Count / 2];
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Administration;

/// <param name="By">As <see cref="RequesterText"/> reads it.</param>
/// <param name="Since">Those made after that moment.</param>
public sealed record ExecutionFilter(ExecutionState? State = null, WorkflowName? Workflow = null, string? By = null, DateTimeOffset? Since = null);

/// <param name="Next">Where the older ones begin; null where there are none.</param>
public sealed record ExecutionPage(IReadOnlyList<Execution> Executions, ExecutionCursor? Next);

/// <summary>The last execution of a page: what is older follows.</summary>
public readonly record struct ExecutionCursor(DateTimeOffset At, ExecutionId Id) : IComparable<ExecutionCursor>
{
    /// <summary>Newest first; of one moment by id.</summary>
    public int CompareTo(ExecutionCursor other) =>
        At != other.At ? other.At.CompareTo(At) : string.CompareOrdinal(Id.ToString(), other.Id.ToString());

    public override string ToString() => $"{Rfc3339.Format(At)}~{Id}";

    public static bool TryParse([NotNullWhen(true)] string? text, out ExecutionCursor cursor)
    {
        cursor = default;
        if (text?.Split('~') is not [var time, var name] || !Rfc3339.TryParse(time, out var at) || !ExecutionId.TryParse(name, out var id))
            return false;
        cursor = new(at, id);
        return true;
    }
}

/// <summary>The latest executions of one tenant or of many, newest first, by each tenant's index.</summary>
public sealed class LatestExecutions(ExecutionStore executions)
{
    private const int ReadAtOnce = 25, TenantsAtOnce = 32;

    /// <summary>How many lines of the index one page may cost where hardly any of them fits.</summary>
    private const int MostLooked = 5000;

    /// <param name="after">The end of the page before; null for the first.</param>
    public async Task<ExecutionPage> FindAsync(
        IReadOnlyList<TenantId> tenants, ExecutionFilter filter, ExecutionCursor? after, int count, CancellationToken cancel)
    {
        var found = new List<Execution>();
        var looked = 0;
        ExecutionCursor? last = null;
        await using var newest = new Merged([.. tenants.Select(tenant => InOrderAsync(tenant, filter.Since, after, count, cancel))]);
        await foreach (var some in LinesAsync(newest).Chunk(ReadAtOnce).WithCancellation(cancel))
        {
            var fitting = some.Where(one =>
                (filter.State is null || one.State == filter.State) && (filter.Workflow is null || one.Workflow == filter.Workflow));
            var read = (await Task.WhenAll(fitting.Select(one => executions.FindRecentAsync(one.Id, cancel)))).OfType<Execution>()
                .Where(one => filter.By is null || one.RequestedBy.IsCalled(filter.By)).ToDictionary(one => one.Id);
            foreach (var line in some)
            {
                if (found.Count == count || looked >= MostLooked)
                    return new(found, last);
                (last, looked) = (new(line.CreatedAt, line.Id), looked + 1);
                if (read.TryGetValue(line.Id, out var execution))
                    found.Add(execution);
            }
        }
        return new(found, Next: null);
    }

    private static async IAsyncEnumerable<ExecutionSummary> LinesAsync(Merged newest)
    {
        await newest.BeginAsync();
        while (await newest.TakeAsync() is { } line)
            yield return line;
    }

    // The index knows no order among those of one moment; the cursor needs one.
    private async IAsyncEnumerable<ExecutionSummary> InOrderAsync(
        TenantId tenant, DateTimeOffset? since, ExecutionCursor? after, int count, [EnumeratorCancellation] CancellationToken cancel)
    {
        var together = new List<ExecutionSummary>();
        await foreach (var line in executions.LatestAsync(tenant, since, cancel, after?.At, Math.Clamp(count + 1, ReadAtOnce + 1, 100)))
        {
            if (after is { } end && new ExecutionCursor(line.CreatedAt, line.Id).CompareTo(end) <= 0)
                continue;
            if (together.Count > 0 && together[0].CreatedAt != line.CreatedAt)
            {
                foreach (var one in InOrder(together))
                    yield return one;
                together.Clear();
            }
            together.Add(line);
        }
        foreach (var one in InOrder(together))
            yield return one;
    }

    private static IEnumerable<ExecutionSummary> InOrder(IEnumerable<ExecutionSummary> lines) =>
        lines.OrderBy(one => new ExecutionCursor(one.CreatedAt, one.Id));

    /// <summary>Many lists, each newest first, as one.</summary>
    private sealed class Merged(IReadOnlyList<IAsyncEnumerable<ExecutionSummary>> lists) : IAsyncDisposable
    {
        private readonly PriorityQueue<IAsyncEnumerator<ExecutionSummary>, ExecutionCursor> _heads = new();
        private readonly List<IAsyncEnumerator<ExecutionSummary>> _all = [.. lists.Select(list => list.GetAsyncEnumerator())];

        public async Task BeginAsync()
        {
            foreach (var some in _all.Chunk(TenantsAtOnce))
                foreach (var (list, isThere) in some.Zip(await Task.WhenAll(some.Select(one => one.MoveNextAsync().AsTask()))))
                    if (isThere)
                        Add(list);
        }

        /// <returns>Null when all are at their end.</returns>
        public async Task<ExecutionSummary?> TakeAsync()
        {
            if (!_heads.TryDequeue(out var list, out _))
                return null;
            var line = list.Current;
            if (await list.MoveNextAsync())
                Add(list);
            return line;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var list in _all)
                await list.DisposeAsync();
        }

        private void Add(IAsyncEnumerator<ExecutionSummary> list) => _heads.Enqueue(list, new(list.Current.CreatedAt, list.Current.Id));
    }
}

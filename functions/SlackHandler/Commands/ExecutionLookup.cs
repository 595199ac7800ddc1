using ControlPlane.Aws;
using ControlPlane.Executions;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What was found behind what a user called an execution. What the caller may not see, another tenant's first of all, is none.</summary>
internal abstract record Lookup
{
    private Lookup() { }

    public sealed record Found(Execution Execution) : Lookup;

    /// <summary>Ordered, and not on record yet.</summary>
    public sealed record OnItsWay : Lookup;

    /// <summary>Several begin with these digits.</summary>
    public sealed record Ambiguous : Lookup;

    public sealed record Nothing : Lookup;
}

/// <summary>Finds an execution by what a user calls it: its id, however dressed, eight or more of its first digits, or <c>last</c>.</summary>
internal sealed class ExecutionLookup(ExecutionStore executions, ReplyStore replies)
{
    // How far back "last" looks for one that this user asked for.
    private const int Latest = 50;

    public async Task<Lookup> FindAsync(Caller caller, string typed, CancellationToken cancel)
    {
        var name = Undressed(typed);
        if (name == "last")
            return await LastAsync(caller, cancel);

        var digits = name.StartsWith(ExecutionId.Prefix, StringComparison.Ordinal) ? name[ExecutionId.Prefix.Length..] : name;
        if (digits.Length is < ExecutionId.FewestDigits or > ExecutionId.AllDigits || !digits.All(char.IsAsciiHexDigitLower))
            return new Lookup.Nothing();
        if (digits.Length == ExecutionId.AllDigits)
            return await FindAsync(caller, ExecutionId.Parse(ExecutionId.Prefix + digits), cancel);
        return await executions.BeginningWithAsync(caller.Tenant, digits, cancel) switch
        {
            [var only] => await FindAsync(caller, only, cancel),
            [] => new Lookup.Nothing(),
            _ => new Lookup.Ambiguous(),
        };
    }

    private async Task<Lookup> FindAsync(Caller caller, ExecutionId id, CancellationToken cancel)
    {
        if (await executions.FindAsync(id, cancel) is { } execution)
            return execution.Tenant == caller.Tenant && caller.MaySee(execution) ? new Lookup.Found(execution) : new Lookup.Nothing();
        return await replies.FindAsync(id, cancel) is { } reply && reply.Tenant == caller.Tenant ? new Lookup.OnItsWay() : new Lookup.Nothing();
    }

    /// <summary>The execution that the caller's own request stands for; null while there is none.</summary>
    public async Task<Execution?> FindOwnAsync(Caller caller, CancellationToken cancel) =>
        await executions.FindAsync(caller.Command.Execution, cancel) is { } execution && execution.Tenant == caller.Tenant ? execution : null;

    // This user's own: nobody means to cancel a colleague's.
    private async Task<Lookup> LastAsync(Caller caller, CancellationToken cancel)
    {
        foreach (var some in (await executions.LatestAsync(caller.Tenant, Latest, cancel)).Chunk(10))
        {
            var found = await Task.WhenAll(some.Select(one => executions.FindAsync(one.Id, cancel)));
            if (Array.Find(found, execution => execution is not null && caller.IsOwn(execution)) is { } own)
                return new Lookup.Found(own);
        }
        return new Lookup.Nothing();
    }

    // Copied out of a message it may be bold, in quotes, or the end of a sentence; some keyboards begin every word with a capital.
    public static string Undressed(string typed)
    {
        var (start, end) = (0, typed.Length);
        while (start < end && !char.IsAsciiLetterOrDigit(typed[start]))
            start++;
        while (end > start && !char.IsAsciiLetterOrDigit(typed[end - 1]))
            end--;
        return typed[start..end].ToLowerInvariant();
    }
}

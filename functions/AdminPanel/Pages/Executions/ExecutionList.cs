using ControlPlane.Administration;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.AdminPanel.Pages.Executions;

/// <summary>What was asked for, as typed: it stands in the form again.</summary>
public sealed record Asked(string? Tenant, string? State, string? Workflow, string? By, string? Since, string? Id)
{
    /// <summary>The query of the same list, from another place on.</summary>
    public string QueryFrom(ExecutionCursor cursor) => string.Join('&', new (string Name, string? Value)[]
    {
        ("tenant", Tenant), ("state", State), ("workflow", Workflow), ("by", By), ("since", Since), ("after", cursor.ToString()),
    }.Where(one => one.Value is not null).Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value!)}"));
}

public sealed record ExecutionList(Frame Frame, Asked Asked, string? Fault, IReadOnlyList<TenantId> Tenants, ExecutionPage Page, bool IsFirst)
{
    public const int PageSize = 50;

    public static readonly IReadOnlyList<string> Times = ["1h", "24h", "168h"];

    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var asked = new Asked(
            request.Asked("tenant"), request.Asked("state"), request.Asked("workflow"), request.Asked("by"), request.Asked("since"), request.Asked("id"));
        var tenants = (await hub.Tenants.ReadableAsync(cancel)).Tenants.Select(one => one.Id).OrderBy(one => one.Number).ToList();
        if (asked.Id is { } typed)
            return await FindAsync(hub, tenants, asked, typed, request, cancel);
        var (filter, of, fault) = Read(asked, tenants, request.Now);
        ExecutionCursor? after = ExecutionCursor.TryParse(request.Asked("after"), out var cursor) ? cursor : null;
        var page = fault is null ? await new LatestExecutions(hub.Executions).FindAsync(of, filter, after, PageSize, cancel) : new([], null);
        return Answer(request, new(Frame.Of("Executions", "Executions", request), asked, fault, tenants, page, IsFirst: after is null));
    }

    private static PanelAnswer.Page Answer(PanelRequest _, ExecutionList list) => new(ExecutionListPage.Create(list), list.Fault is null ? 200 : 404);

    private static async Task<PanelAnswer> FindAsync(
        Hub hub, IReadOnlyList<TenantId> tenants, Asked asked, string typed, PanelRequest request, CancellationToken cancel)
    {
        var digits = typed.ToLowerInvariant().Trim('.', '…', '*', '`', ' ');
        digits = digits.StartsWith(ExecutionId.Prefix, StringComparison.Ordinal) ? digits[ExecutionId.Prefix.Length..] : digits;
        if (digits.Length is >= ExecutionId.FewestDigits and <= ExecutionId.AllDigits && digits.All(char.IsAsciiHexDigitLower))
        {
            if (digits.Length == ExecutionId.AllDigits)
                return new PanelAnswer.GoOn($"/executions/{ExecutionId.Prefix}{digits}");
            var of = TenantId.TryParse(asked.Tenant, out var only) ? [only] : tenants;
            var found = (await Task.WhenAll(of.Select(tenant => hub.Executions.BeginningWithAsync(tenant, digits, cancel)))).SelectMany(one => one).ToList();
            if (found is [var id])
                return new PanelAnswer.GoOn($"/executions/{id}");
            if (found.Count > 1)
            {
                var several = await Task.WhenAll(found.Select(one => hub.Executions.FindRecentAsync(one, cancel)));
                return Answer(request, new(Frame.Of("Executions", "Executions", request), asked, null, tenants, new([.. several.OfType<Execution>()], null), true));
            }
        }
        return Answer(request, new(
            Frame.Of("Executions", "Executions", request), asked,
            $"No execution begins so: an id is exec_ and {ExecutionId.AllDigits} digits, and {ExecutionId.FewestDigits} of them find it.", tenants, new([], null), true));
    }

    private static (ExecutionFilter Filter, IReadOnlyList<TenantId> Tenants, string? Fault) Read(Asked asked, IReadOnlyList<TenantId> all, DateTimeOffset now)
    {
        TenantId tenant = default;
        WorkflowName workflow = default;
        TimeSpan since = default;
        var fault =
            asked.Tenant is not null && !TenantId.TryParse(asked.Tenant, out tenant) ? "There is no such tenant."
            : asked.Workflow is not null && !WorkflowName.TryParse(asked.Workflow, out workflow) ? "That is no workflow's name."
            : asked.State is not null && ExecutionStates.All.All(one => one.Name != asked.State) ? "There is no such state."
            : asked.Since is not null && !(Duration.TryParse(asked.Since, out since) && since > TimeSpan.Zero) ? "A time is like 90m or 24h."
            : null;
        return fault is not null ? (new(), [], fault) : (
            new(
                asked.State is { } state ? ExecutionStates.Parse(state) : null, asked.Workflow is null ? null : workflow, asked.By,
                asked.Since is null ? null : now - since),
            asked.Tenant is null ? all : [tenant], null);
    }
}

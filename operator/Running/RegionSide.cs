using System.Net.Http.Json;
using ControlPlane.Administration.DeadLetters;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Running;

/// <summary>One region of a control plane that has two.</summary>
/// <param name="deployment">Null where there is none to be found.</param>
/// <param name="fault">Why not.</param>
internal sealed class RegionSide(string region, Deployment? deployment, string? fault, TimeProvider clock) : IDisposable
{
    /// <summary>A region that is gone may not even refuse a connection.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ControlPlaneClient? _client = deployment is null ? null : new(deployment, clock);

    public string Region => region;

    /// <summary>What to do on it. Faults become one line for the operator.</summary>
    /// <exception cref="NoDeploymentException">It does not answer, or refuses.</exception>
    public async Task<T> AskAsync<T>(Func<ControlPlaneClient, CancellationToken, Task<T>> askAsync, CancellationToken cancel)
    {
        if (_client is null)
            throw new NoDeploymentException(fault!);
        try
        {
            return await askAsync(_client, cancel);
        }
        catch (Exception e) when (e is not NoDeploymentException && !cancel.IsCancellationRequested)
        {
            throw new NoDeploymentException(Faults.InWords(e, deployment));
        }
    }

    public Task TellAsync(Func<ControlPlaneClient, CancellationToken, Task> tellAsync, CancellationToken cancel) => AskAsync(async (client, stop) =>
    {
        await tellAsync(client, stop);
        return true;
    }, cancel);

    /// <summary>Whether its tables and queues answer, and what they say. Never throws for a region that does not.</summary>
    public async Task<RegionReport> LookAsync(string primary, string? domain, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            return await AskAsync(async (client, stop) =>
            {
                var queues = Task.WhenAll(WorkQueue.All.Select(async queue => await (await client.DeadLettersOfAsync(queue, stop)).DepthAsync(stop)));
                var active = await client.ActiveRegion(primary).NameAsync(stop);
                var owners = new List<string?>();
                foreach (var tenant in await TenantsAsync(client, stop))
                    owners.Add(await client.Quotas.OwnerAsync(tenant, stop));
                return new RegionReport(null, active, owners, await queues, await HealthAsync(client.HealthAddress(region, domain), stop));
            }, patience.Token);
        }
        catch (NoDeploymentException e)
        {
            return RegionReport.Silent(e.Message);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return RegionReport.Silent($"{region} does not answer within {Patience.TotalSeconds:0} s.");
        }
    }

    public static async Task<IReadOnlyList<TenantId>> TenantsAsync(ControlPlaneClient client, CancellationToken cancel)
    {
        var (readable, faulty) = await client.Tenants.ReadableAsync(cancel);
        return [.. readable.Select(tenant => tenant.Id).Concat(faulty.Select(one => one.Id)).OrderBy(tenant => tenant.Number)];
    }

    /// <returns>Null where nobody says where to ask.</returns>
    public static async Task<HealthAnswer?> HealthAsync(Uri? address, CancellationToken cancel)
    {
        if (address is null)
            return null;
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var answer = await http.GetAsync(address, cancel);
            var report = await answer.Content.ReadFromJsonAsync(CtlJson.Default.HealthReportView, cancel);
            return new(answer.IsSuccessStatusCode, report?.Region);
        }
        catch (Exception e) when (e is HttpRequestException or System.Text.Json.JsonException
            || e is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return new(false, null);
        }
    }

    public void Dispose() => _client?.Dispose();
}

/// <summary>What <c>/health</c> answered.</summary>
/// <param name="Region">As the answer has it; null when there was none.</param>
internal sealed record HealthAnswer(bool IsWell, string? Region);

/// <summary>How a region stands, as its own copies have it.</summary>
/// <param name="Fault">Why it does not answer; null when it does.</param>
/// <param name="Active">The region that it takes for the active one.</param>
/// <param name="Owners">Who writes each tenant's ledger; null for one that nobody has written.</param>
/// <param name="Health">Null where nobody said where to ask.</param>
internal sealed record RegionReport(
    string? Fault, string? Active, IReadOnlyList<string?> Owners, IReadOnlyList<QueueDepth> Queues, HealthAnswer? Health)
{
    public bool Answers => Fault is null;

    public static RegionReport Silent(string fault) => new(fault, null, [], [], null);

    /// <summary>Whether its copies say that this region is the active one and writes every ledger.</summary>
    public bool Names(string region) => Active == region && Owners.All(owner => owner is null || owner == region);
}

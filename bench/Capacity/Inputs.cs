using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Capacity;

internal sealed record Traffic(
    string Source, int Tenants, int Hours, IReadOnlyDictionary<string, long> Monthly, IReadOnlyDictionary<string, long> Bytes, double LogGigabytes,
    double PeakOverMean);

/// <param name="Api">http, rest, or null where a queue or the clock starts it.</param>
/// <param name="QueueRequests">Those that our code makes, as <paramref name="FifoRequests"/>; the others are Lambda's poller's, a receive and a delete a
/// message.</param>
internal sealed record Flow(
    string Name, string Function, string? Api, double Milliseconds, double MemoryMb, double WriteUnits, double ReadUnits, double TableCalls,
    double QueueRequests, double FifoRequests, double PolledQueueRequests, double PolledFifoRequests, string Note);

/// <param name="WriteUnitsPerLargeRun">Of the five flows of one run when its dispatch and outcome are as large as the traffic table says.</param>
internal sealed record Measured(
    string Source, IReadOnlyList<Flow> Flows, double WriteUnitsPerLargeRun, double SweepMillisecondsPerTenant,
    double StoredKilobytesPerHeartbeat, int HeartbeatDaysKept, double StoredKilobytesPerExecution, int ExecutionDaysKept, double SecretReads,
    double ConfigItems, double StateGigabytes, double EdgeLogBytesPerRequest, int EdgeLogDaysKept,
    double FlowLogRecordsPerCall, double FlowLogBytesPerRecord, double ModelKilobytesPerRun);

internal sealed record Price([property: JsonPropertyName("price")] double Dollars, string Page);

internal sealed record Prices(string Source, string ReadAt, IReadOnlyDictionary<string, Price> Dollars)
{
    public double this[string name] => Dollars[name].Dollars;
}

internal sealed record Estate(
    string Source, int Zones, int InterfaceEndpoints, int NatInstances, int NatDiskGigabytes, int WafLists, int WafRules, int Secrets, int AlarmMetrics,
    int CustomMetrics, int ApiMetrics, int Dashboards, int HostedZones, int HealthChecks, int Keys, int BackupsKept, PanelEstate Panel);

/// <summary>What stands there beside it where the admin panel is switched on.</summary>
internal sealed record PanelEstate(int Balancers, int WafLists, int WafRules, int Secrets, int AlarmMetrics, int CustomMetrics);

/// <param name="Use">What uses it up: the tenants themselves, or a figure of <see cref="Load"/>.</param>
internal sealed record Quota(string Name, string Unit, double Default, double Most, string Use, double Each, string Page, string Then);

internal sealed record Quotas(string Source, string ReadAt, int AddressPlan, [property: JsonPropertyName("quotas")] IReadOnlyList<Quota> All);

/// <summary>The five input files; each names where its numbers come from.</summary>
internal sealed record Inputs(Traffic Traffic, Measured Measured, Prices Prices, Estate Estate, Quotas Quotas)
{
    public static Inputs Read(string folder)
    {
        return new(
            One("traffic.json", InputJson.Default.Traffic), One("measured.json", InputJson.Default.Measured), One("prices.json", InputJson.Default.Prices),
            One("estate.json", InputJson.Default.Estate), One("quotas.json", InputJson.Default.Quotas));

        T One<T>(string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        {
            using var file = File.OpenRead(Path.Combine(folder, name));
            return JsonSerializer.Deserialize(file, type) ?? throw new InvalidDataException($"{name} is empty.");
        }
    }

    public Flow Flow(string name) => Measured.Flows.Single(flow => flow.Name == name);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Traffic))]
[JsonSerializable(typeof(Measured))]
[JsonSerializable(typeof(Prices))]
[JsonSerializable(typeof(Estate))]
[JsonSerializable(typeof(Quotas))]
internal sealed partial class InputJson : JsonSerializerContext;

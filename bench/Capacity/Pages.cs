using System.Globalization;
using System.Text;

namespace ControlPlane.Capacity;

/// <summary>The two pages, from the inputs and from nothing else.</summary>
internal static class Pages
{
    private static readonly int[] Sizes = [1, 100, 10_000, 1_000_000];

    private const string Regenerate = "Computed by `dotnet run --project bench/Capacity`; a test fails when this page and the program differ. Change the inputs in `bench/Capacity/*.json`, not this page.";

    public static string Cost(Inputs inputs)
    {
        var lines = Bill.Of(inputs).OrderByDescending(line => line.Dollars).ToList();
        var total = lines.Sum(line => line.Dollars);
        var growing = lines.Where(line => line.Grows).ToList();
        var page = Page("What a month costs");
        page.AppendLine(Invariant($"""
            {Regenerate}
            Prices: {inputs.Prices.Source}, read {inputs.Prices.ReadAt}. Traffic: {inputs.Traffic.Source}: {inputs.Traffic.Tenants} data planes. What a call takes: {inputs.Measured.Source}

            | line | quantity | unit | a unit | a month | share |
            |---|---:|---|---:|---:|---:|
            """));
        foreach (var line in lines)
            page.AppendLine(Invariant($"| {line.Name}{(line.Grows ? "" : " ¹")} | {Quantity(line.Quantity)} | {line.Unit} | ${line.UnitPrice:0.##########} | ${line.Dollars:N2} | {line.Dollars / total:P1} |"));
        page.AppendLine(Invariant($"| **Together** | | | | **${total:N2}** | |"));
        var heartbeats = lines.Where(line => line.Name.Contains("heartbeats", StringComparison.Ordinal)).Sum(line => line.Dollars);
        var gateways = inputs.Estate.NatInstances * inputs.Traffic.Hours * inputs.Prices["nat_gateway_hour"];
        var instances = inputs.Estate.NatInstances * inputs.Traffic.Hours * inputs.Prices["t3_nano_hour"];
        var logs = lines.Where(line => line.Name.StartsWith("Logs", StringComparison.Ordinal)).Sum(line => line.Dollars);
        var peering = lines.Where(line => line.Name.StartsWith("Peering", StringComparison.Ordinal)).Sum(line => line.Dollars);
        var small = inputs.Measured.Flows.Where(flow => flow.Name is "run" or "request" or "dispatch" or "outcome" or "notification")
            .Sum(flow => flow.WriteUnits);
        var larger = (inputs.Measured.WriteUnitsPerLargeRun - small) * inputs.Traffic.Monthly["run"] / 1e6 * inputs.Prices["dynamodb_million_write_units"];
        var modelGigabytes = inputs.Traffic.Monthly["run"] * inputs.Measured.ModelKilobytesPerRun / 1e6;
        page.AppendLine(Invariant($"""

            ¹ paid for standing there, whatever the traffic.

            - **{lines[0].Name} lead** with ${lines[0].Dollars:N2}: they are paid by the zone and hour. Each is a parameter of `infra/network.template`; a zone less saves a third.
            - Of what grows with traffic, **{growing[0].Name.ToLower(CultureInfo.InvariantCulture)} lead** with ${growing[0].Dollars:N2} (${logs:N2} with keeping them); then {growing[1].Name} with ${growing[1].Dollars:N2}.
              Request prices and write units of heartbeats together are ${heartbeats:N2}: a REST API costs {inputs.Prices["rest_api_million_requests"] / inputs.Prices["http_api_million_requests"]:0.0} times an HTTP API, and it is what can be private.
            - Three NAT instances are ${instances:N2}, three NAT gateways would be ${gateways:N2}: {1 - instances / gateways:P0} less. Neither figure has the addresses and disks in it.
            - A run of the demo's workflow writes {small:0.#} units over its five flows. Were every dispatch and outcome as large as the traffic table says, it would write {inputs.Measured.WriteUnitsPerLargeRun:0.#}: ${larger:N2} more.
            - The bytes across the peerings are ${peering:N2}.
            - X-Ray records a request a second of each way in, and five in a hundred of the rest: ${lines.Single(line => line.Name == Bill.XRay).Dollars:N2}. `Tracing=PassThrough` ends it.
            - Not in this bill: what engines send to their models, {inputs.Measured.ModelKilobytesPerRun:0} KB a run. It leaves by the tenants' own NATs and is paid in their accounts: {modelGigabytes:0.#} GB, ${modelGigabytes * inputs.Prices["internet_gigabyte"]:N2}.
            - A second region doubles what stands there and adds one write unit for each replicated one.

            ## A smaller bill

            | without | by | saves a month | and then |
            |---|---|---:|---|
            """));
        var savings = Bill.Savings(inputs);
        foreach (var saving in savings)
            page.AppendLine(Invariant($"| {saving.Name} | {saving.How} | ${saving.Dollars:N2} | {saving.Price} |"));
        page.AppendLine(Invariant($"""
            | **All of it** | | **${savings.Sum(saving => saving.Dollars):N2}** | ${total - savings.Sum(saving => saving.Dollars):N2} are left |

            ## With the admin panel

            Off by default, and not in the bill above. Switched on ([infra/README.md](../infra/README.md), "The admin panel") it adds what stands there:

            | line | quantity | unit | a unit | a month |
            |---|---:|---|---:|---:|
            """));
        var panel = Bill.Panel(inputs);
        foreach (var line in panel)
            page.AppendLine(Invariant($"| {line.Name} | {Quantity(line.Quantity)} | {line.Unit} | ${line.UnitPrice:0.##########} | ${line.Dollars:N2} |"));
        page.AppendLine(Invariant($"""
            | **Together** | | | | **${panel.Sum(line => line.Dollars):N2}** |

            What a few people's requests cost beside it, the function's time and what the pages read, are cents. Its logs are a few megabytes.

            ## Whose is it

            Every stack carries the tag `Platform`, and every stack of a tenant `TenantID` too, in its own account and at the hub (`deploy-serverless` is told by `aws-lambda-tools-defaults.json`): once they are activated as cost allocation tags, Cost Explorer splits the bill by them
            ([infra/README.md](../infra/README.md), "Whose bill it is"). What all tenants share has no tag to split it by; a fair key is each one's part of the heartbeats and executions: `./ctl usage`.

            ## By size

            One hub's bill at the same habits, a hub for every {CellSize(inputs)} tenants ([scaling.md](scaling.md)).

            | tenants | hubs | a month | a tenant |
            |---:|---:|---:|---:|
            """));
        foreach (var tenants in Sizes)
        {
            var hubs = Hubs(inputs, tenants);
            var dollars = hubs * Bill.Of(inputs, (double)tenants / hubs / inputs.Traffic.Tenants).Sum(line => line.Dollars);
            page.AppendLine(Invariant($"| {tenants:N0} | {hubs:N0} | ${dollars:N0} | ${dollars / tenants:N2} |"));
        }
        page.AppendLine().AppendLine("## Prices used").AppendLine().AppendLine("| price | dollars | page |").AppendLine("|---|---:|---|");
        foreach (var (name, price) in inputs.Prices.Dollars)
            page.AppendLine(Invariant($"| {name.Replace('_', ' ')} | {price.Dollars:0.##########} | {price.Page} |"));
        return page.ToString();
    }

    public static string Scaling(Inputs inputs)
    {
        var page = Page("How far it scales, and what breaks first");
        var cell = CellSize(inputs);
        page.AppendLine(Invariant($"""
            {Regenerate}
            Quotas: {inputs.Quotas.Source}, read {inputs.Quotas.ReadAt}. Load: the traffic table ({inputs.Traffic.Source}), a tenant's share of it, at {inputs.Traffic.PeakOverMean:0} times its mean.

            ## One hub

            | what | by default | at most | stops one hub at (default) | (at most) | then |
            |---|---:|---:|---:|---:|---|
            """));
        foreach (var (quota, first, last) in inputs.Quotas.All.Select(quota => (quota, Reach.Tenants(inputs, quota, quota.Default),
            Reach.Tenants(inputs, quota, quota.Most))).OrderBy(one => one.Item2).ThenBy(one => one.Item3))
            page.AppendLine(Invariant($"| [{quota.Name}]({Link(quota.Page)}) | {quota.Default:N0} {quota.Unit} | {quota.Most:N0} | {first:N0} tenants | {last:N0} tenants | {quota.Then} |"));
        page.AppendLine(Invariant($"""

            Peering breaks first, and it breaks hard: {inputs.Quotas.All[0].Most:N0} is as far as AWS goes. Everything after it is one of the hub's own brakes, a number in a template, or a request to AWS away. So a hub is a cell of
            {cell} tenants: registration refuses more than its configured limit, and an alarm rises at 80 % of it.

            ## Many hubs

            A cell is the whole platform once more: its own account, VPC, tables, queues and keys, from the same templates. Hubs are not joined to each other, so each uses 10.10.0.0/16 and the tenant ranges
            10.100 to 10.255 again, and a fault stays within {cell} tenants. What is shared is one small thing in front: the Slack workspace's home cell, looked up once when a workspace is installed
            (its own app installation, with its own request URL), so no request crosses cells.

            | tenants | hubs | requests a second, peak, a hub | write units a second, peak, a hub | Lambda at once, peak, a hub | sweep |
            |---:|---:|---:|---:|---:|---:|
            """));
        foreach (var tenants in Sizes)
        {
            var hubs = Hubs(inputs, tenants);
            var load = Load.Of(inputs, (double)tenants / hubs);
            page.AppendLine(Invariant($"| {tenants:N0} | {hubs:N0} | {load.Requests:0.#} | {load.Writes:0.#} | {load.Concurrency:0.#} | {load.Sweep / 1000:0.##} s of 50 |"));
        }
        page.AppendLine(Invariant($"""

            - **1 tenant** pays for what stands there: {Bill.Of(inputs, 1.0 / inputs.Traffic.Tenants).Where(line => !line.Grows).Sum(line => line.Dollars) / Bill.Of(inputs, 1.0 / inputs.Traffic.Tenants).Sum(line => line.Dollars):P0} of its bill ([cost.md](cost.md)).
            - **100 tenants** fit one hub once the peering quota is raised from {inputs.Quotas.All[0].Default:N0} to {inputs.Quotas.All[0].Most:N0} and the routes with it.
            - **10,000 tenants** are {Hubs(inputs, 10_000):N0} hubs. That is a fleet: deployments go out in waves, a cell a wave first, and the tenant's number is unique within its cell only.
            - **1,000,000 tenants** are {Hubs(inputs, 1_000_000):N0} hubs and as many accounts. Before that point peering is the wrong tool: with Transit Gateway (5,000 attachments) a hub carries
              {Math.Ceiling(5000.0 / cell):N0} times as many networks but needs unique ranges; with PrivateLink, where each data plane offers its engine as an endpoint service and reaches the API through one, addresses may overlap
              and no route is shared, at an hourly price for each endpoint (${inputs.Prices["endpoint_zone_hour"] * inputs.Traffic.Hours:0.00} a month and zone). The code's part of such a change is where an engine's address comes from.
            """));
        return page.ToString();
    }

    private static int CellSize(Inputs inputs) => (int)inputs.Quotas.All.Where(quota => quota.Use == "tenants").Min(quota => quota.Most / quota.Each);

    private static int Hubs(Inputs inputs, int tenants) => (tenants + CellSize(inputs) - 1) / CellSize(inputs);

    private static string Link(string page) => page.StartsWith("https://", StringComparison.Ordinal)
        ? page
        : page.StartsWith("docs/", StringComparison.Ordinal)
        ? page["docs/".Length..]
        : $"../{page.Split(',')[0]}";

    private static string Quantity(double quantity) => quantity >= 1000 ? Invariant($"{quantity:N0}") : Invariant($"{quantity:0.###}");

    private static StringBuilder Page(string title) => new StringBuilder().AppendLine(Invariant($"# {title}")).AppendLine();

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

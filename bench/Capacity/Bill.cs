namespace ControlPlane.Capacity;

/// <param name="Grows">Whether the line grows with traffic, or is paid for standing there.</param>
internal sealed record BillLine(string Name, double Quantity, string Unit, double UnitPrice, bool Grows)
{
    public double Dollars => Quantity * UnitPrice;
}

/// <summary>A month of one hub.</summary>
internal static class Bill
{
    /// <summary>The one line that does not follow traffic in proportion.</summary>
    public const string XRay = "X-Ray: traces recorded";

    private const double Million = 1e6;

    /// <param name="scale">Traffic as a multiple of the input's; what merely stands there does not scale.</param>
    public static IReadOnlyList<BillLine> Of(Inputs inputs, double scale = 1)
    {
        var (traffic, measured, prices, estate, _) = inputs;
        double Sum(Func<Flow, double> each) => measured.Flows.Sum(flow => traffic.Monthly[flow.Name] * each(flow)) * scale;
        double Requests(string api) => Sum(flow => flow.Api == api ? 1 : 0);
        double Kept(string flow, double kilobytes, int days) => traffic.Monthly[flow] * kilobytes / Million * days * 24 / traffic.Hours * scale;
        double Gigabytes(string flow) => traffic.Monthly[flow] * traffic.Bytes[flow] / 1e9 * scale;

        var peered = Gigabytes("dispatch") + Gigabytes("outcome") + Gigabytes("heartbeat");
        var stored = Kept("heartbeat", measured.StoredKilobytesPerHeartbeat, measured.HeartbeatDaysKept)
            + Kept("request", measured.StoredKilobytesPerExecution, measured.ExecutionDaysKept);
        var log = traffic.LogGigabytes * scale;
        var edgeLog = Requests("http") * measured.EdgeLogBytesPerRequest / 1e9 * measured.EdgeLogDaysKept * 24 / traffic.Hours;
        var flowLog = Sum(_ => 1) * measured.FlowLogRecordsPerCall * measured.FlowLogBytesPerRecord / 1e9;
        var traces = Traces(Requests("http"), traffic.Hours) + Traces(Requests("rest"), traffic.Hours) + Traces(traffic.Monthly["sweep"], traffic.Hours);
        var backups = stored * estate.BackupsKept;
        // Requests to another zone's endpoint or engine: two of three, were zones chosen by chance.
        var crossing = peered * (estate.Zones - 1) / estate.Zones;
        return
        [
            new("Interface endpoints", estate.InterfaceEndpoints * estate.Zones * traffic.Hours, "zone-hours", prices["endpoint_zone_hour"], Grows: false),
            new("Logs taken in", log, "GB", prices["log_gigabyte"], Grows: true),
            new("Logs kept a month", log, "GB", prices["log_stored_gigabyte_month"], Grows: true),
            new(
                "Private REST API: heartbeats", traffic.Monthly["heartbeat"] * scale / Million, "million requests", prices["rest_api_million_requests"],
                Grows: true),
            new(
                "Private REST API: outcomes", traffic.Monthly["outcome"] * scale / Million, "million requests", prices["rest_api_million_requests"],
                Grows: true),
            new("Public HTTP API", Requests("http") / Million, "million requests", prices["http_api_million_requests"], Grows: true),
            new("CloudFront", Requests("http") / Million, "million requests", prices["cloudfront_million_requests"], Grows: true),
            new(
                "WAF: lists and rules", 1, "month", estate.WafLists * prices["waf_acl_month"] + estate.WafRules * prices["waf_rule_month"], Grows: false),
            new(
                "WAF: requests", (Requests("http") + (traffic.Monthly["heartbeat"] + traffic.Monthly["outcome"]) * scale) / Million, "million requests",
                prices["waf_million_requests"], Grows: true),
            new("Lambda: requests", Sum(_ => 1) / Million, "million", prices["lambda_million_requests"], Grows: true),
            new("Lambda: time", Sum(flow => flow.Milliseconds / 1000 * flow.MemoryMb / 1024), "GB-s", prices["lambda_gigabyte_second"], Grows: true),
            new(
                "DynamoDB: writes of heartbeats", traffic.Monthly["heartbeat"] * inputs.Flow("heartbeat").WriteUnits * scale / Million, "million units",
                prices["dynamodb_million_write_units"], Grows: true),
            new(
                "DynamoDB: other writes", (Sum(flow => flow.WriteUnits) - traffic.Monthly["heartbeat"] * inputs.Flow("heartbeat").WriteUnits * scale) / Million,
                "million units", prices["dynamodb_million_write_units"], Grows: true),
            new("DynamoDB: reads", Sum(flow => flow.ReadUnits) / Million, "million units", prices["dynamodb_million_read_units"], Grows: true),
            new(
                "DynamoDB: storage and restore points", stored, "GB", prices["dynamodb_gigabyte_month"] + prices["dynamodb_backup_gigabyte_month"],
                Grows: true),
            new(
                "SQS: standard", Sum(flow => flow.QueueRequests + flow.PolledQueueRequests) / Million, "million requests", prices["sqs_million_requests"],
                Grows: true),
            new(
                "SQS: FIFO", Sum(flow => flow.FifoRequests + flow.PolledFifoRequests) / Million, "million requests", prices["sqs_fifo_million_requests"],
                Grows: true),
            new("NAT instances", estate.NatInstances * traffic.Hours, "hours", prices["t3_nano_hour"], Grows: false),
            new("NAT: public addresses", estate.NatInstances * traffic.Hours, "hours", prices["public_address_hour"], Grows: false),
            new("NAT: disks", estate.NatInstances * estate.NatDiskGigabytes, "GB", prices["disk_gigabyte_month"], Grows: false),
            new("Through endpoints", peered, "GB", prices["endpoint_gigabyte"], Grows: true),
            new("Peering, between zones", crossing, "GB", prices["zone_crossing_gigabyte"], Grows: true),
            new("Secrets", estate.Secrets, "secrets", prices["secret_month"], Grows: false),
            new("Reads of secrets", measured.SecretReads / 10_000, "ten thousand", prices["secret_ten_thousand_reads"], Grows: false),
            new("Alarms", estate.AlarmMetrics, "metrics", prices["alarm_month"], Grows: false),
            new("Own metrics", estate.CustomMetrics, "metrics", prices["metric_month"], Grows: false),
            new("API Gateway's metrics by route", estate.ApiMetrics, "metrics", prices["metric_month"], Grows: false),
            new("Dashboard", estate.Dashboards, "dashboards", prices["dashboard_month"], Grows: false),
            new(XRay, traces / Million, "million traces", prices["xray_million_traces"], Grows: true),
            new("Config: changes noted", measured.ConfigItems, "items", prices["config_item"], Grows: false),
            new(
                "S3: state, here and its replica", measured.StateGigabytes, "GB", prices["s3_gigabyte_month"] + prices["s3_infrequent_gigabyte_month"],
                Grows: false),
            new("S3: the edge's log", edgeLog, "GB", prices["s3_gigabyte_month"], Grows: true),
            new("Flow logs, and a month of them in S3", flowLog, "GB", prices["flow_log_gigabyte"] + prices["s3_gigabyte_month"], Grows: true),
            new("Backups, here and in the other region", backups, "GB", 2 * prices["backup_gigabyte_month"], Grows: true),
            new("Backups sent to the other region", stored * 52 / 12, "GB", prices["region_transfer_gigabyte"], Grows: true),
            new(
                "NAT: a word a minute to CloudWatch", estate.NatInstances * traffic.Hours * 60 / 1000, "thousand calls", prices["metric_thousand_calls"],
                Grows: false),
            new("DNS zones", estate.HostedZones, "zones", prices["hosted_zone_month"], Grows: false),
            new("Health checks", estate.HealthChecks, "checks", prices["health_check_month"], Grows: false),
            new("Schedule", traffic.Monthly["sweep"] / Million, "million", prices["scheduler_million_invocations"], Grows: false),
            new("Key of the alarm topic", estate.Keys, "keys", prices["key_month"], Grows: false),
        ];
    }

    /// <summary>What the admin panel adds where it is switched on: all of it stands there, for a few people's requests cost cents.</summary>
    public static IReadOnlyList<BillLine> Panel(Inputs inputs)
    {
        var (panel, prices, hours) = (inputs.Estate.Panel, inputs.Prices, inputs.Traffic.Hours);
        return
        [
            new("Load balancer", panel.Balancers * hours, "hours", prices["load_balancer_hour"], Grows: false),
            new("One capacity unit, were it used all the time", panel.Balancers * hours, "hours", prices["load_balancer_unit_hour"], Grows: false),
            new("Its public addresses", panel.Balancers * inputs.Estate.Zones * hours, "hours", prices["public_address_hour"], Grows: false),
            new("WAF: list", panel.WafLists, "lists", prices["waf_acl_month"], Grows: false),
            new("WAF: rules", panel.WafRules, "rules", prices["waf_rule_month"], Grows: false),
            new("Secret of the client", panel.Secrets, "secrets", prices["secret_month"], Grows: false),
            new("Alarms", panel.AlarmMetrics, "metrics", prices["alarm_month"], Grows: false),
            new("Own metrics", panel.CustomMetrics, "metrics", prices["metric_month"], Grows: false),
        ];
    }

    /// <summary>What a service that starts traces records of its requests by default: one a second, and five in a hundred of the others.</summary>
    /// <remarks>https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html; Lambda's share cannot be set.</remarks>
    public static double Traces(double requests, int hours) => Math.Min(requests, hours * 3600.0) + 0.05 * Math.Max(0, requests - hours * 3600.0);

    /// <summary>What may be left out, what that saves a month, and what it costs otherwise.</summary>
    public static IReadOnlyList<Saving> Savings(Inputs inputs)
    {
        var bill = Of(inputs);
        double Line(string name) => bill.Single(line => line.Name == name).Dollars;
        var (endpoint, nats) = (
            Line("Interface endpoints") / inputs.Estate.InterfaceEndpoints, Line("NAT instances") + Line("NAT: public addresses") + Line("NAT: disks"));
        return
        [
            new("No trace of what goes well", "`Tracing=PassThrough`, control-plane", Line(XRay), "where the time went is read from logs and metrics alone"),
            new(
                "Logs without an endpoint of their own", "`LogsEndpoint=false`, network", endpoint,
                "nothing: Lambda writes its logs itself, the endpoint is for what else runs there"),
            new("SQS by way of NAT", "`SqsEndpoint=false`, network", endpoint, "functions may open port 443 to the internet, and a dead NAT stops its zone"),
            new("One NAT", "`NatPerZone=false`, network", nats * (inputs.Estate.Zones - 1) / inputs.Estate.Zones, "its zone's loss silences all three"),
            new(
                "The two endpoints that are left in one zone", "a change of `infra/network.template`",
                2 * endpoint * (inputs.Estate.Zones - 1) / inputs.Estate.Zones, "that zone's loss stops the platform"),
        ];
    }
}

/// <param name="How">The switch.</param>
/// <param name="Price">What it costs that is not money.</param>
internal sealed record Saving(string Name, string How, double Dollars, string Price);

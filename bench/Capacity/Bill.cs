namespace ControlPlane.Capacity;

/// <param name="Grows">Whether the line grows with traffic, or is paid for standing there.</param>
internal sealed record BillLine(string Name, double Quantity, string Unit, double UnitPrice, bool Grows)
{
    public double Dollars => Quantity * UnitPrice;
}

/// <summary>A month of one hub.</summary>
internal static class Bill
{
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
        var stored = Kept("heartbeat", measured.StoredKilobytesPerHeartbeat, measured.HeartbeatDaysKept) + Kept("request", measured.StoredKilobytesPerExecution, measured.ExecutionDaysKept);
        var log = traffic.LogGigabytes * scale;
        // Requests to another zone's endpoint or engine: two of three, were zones chosen by chance.
        var crossing = peered * (estate.Zones - 1) / estate.Zones;
        return
        [
            new("Interface endpoints", estate.InterfaceEndpoints * estate.Zones * traffic.Hours, "zone-hours", prices["endpoint_zone_hour"], Grows: false),
            new("Logs taken in", log, "GB", prices["log_gigabyte"], Grows: true),
            new("Logs kept a month", log, "GB", prices["log_stored_gigabyte_month"], Grows: true),
            new("Private REST API: heartbeats", traffic.Monthly["heartbeat"] * scale / Million, "million requests", prices["rest_api_million_requests"], Grows: true),
            new("Private REST API: outcomes", traffic.Monthly["outcome"] * scale / Million, "million requests", prices["rest_api_million_requests"], Grows: true),
            new("Public HTTP API", Requests("http") / Million, "million requests", prices["http_api_million_requests"], Grows: true),
            new("CloudFront", Requests("http") / Million, "million requests", prices["cloudfront_million_requests"], Grows: true),
            new("WAF: list and rules", 1, "month", prices["waf_acl_month"] + estate.WafRules * prices["waf_rule_month"], Grows: false),
            new("WAF: requests", Requests("http") / Million, "million requests", prices["waf_million_requests"], Grows: true),
            new("Lambda: requests", Sum(_ => 1) / Million, "million", prices["lambda_million_requests"], Grows: true),
            new("Lambda: time", Sum(flow => flow.Milliseconds / 1000 * flow.MemoryMb / 1024), "GB-s", prices["lambda_gigabyte_second"], Grows: true),
            new("DynamoDB: writes of heartbeats", traffic.Monthly["heartbeat"] * inputs.Flow("heartbeat").WriteUnits * scale / Million, "million units", prices["dynamodb_million_write_units"], Grows: true),
            new("DynamoDB: other writes", (Sum(flow => flow.WriteUnits) - traffic.Monthly["heartbeat"] * inputs.Flow("heartbeat").WriteUnits * scale) / Million, "million units", prices["dynamodb_million_write_units"], Grows: true),
            new("DynamoDB: reads", Sum(flow => flow.ReadUnits) / Million, "million units", prices["dynamodb_million_read_units"], Grows: true),
            new("DynamoDB: storage and restore points", stored, "GB", prices["dynamodb_gigabyte_month"] + prices["dynamodb_backup_gigabyte_month"], Grows: true),
            new("SQS: standard", Sum(flow => flow.QueueRequests + flow.PolledQueueRequests) / Million, "million requests", prices["sqs_million_requests"], Grows: true),
            new("SQS: FIFO", Sum(flow => flow.FifoRequests + flow.PolledFifoRequests) / Million, "million requests", prices["sqs_fifo_million_requests"], Grows: true),
            new("NAT instances", estate.NatInstances * traffic.Hours, "hours", prices["t3_nano_hour"], Grows: false),
            new("NAT: public addresses", estate.NatInstances * traffic.Hours, "hours", prices["public_address_hour"], Grows: false),
            new("NAT: disks", estate.NatInstances * estate.NatDiskGigabytes, "GB", prices["disk_gigabyte_month"], Grows: false),
            new("Through endpoints", peered, "GB", prices["endpoint_gigabyte"], Grows: true),
            new("Peering, between zones", crossing, "GB", prices["zone_crossing_gigabyte"], Grows: true),
            new("Secrets", estate.Secrets, "secrets", prices["secret_month"], Grows: false),
            new("Reads of secrets", measured.SecretReads / 10_000, "ten thousand", prices["secret_ten_thousand_reads"], Grows: false),
            new("Alarms", estate.Alarms, "alarms", prices["alarm_month"], Grows: false),
            new("Own metrics", estate.CustomMetrics, "metrics", prices["metric_month"], Grows: false),
            new("DNS zones", estate.HostedZones, "zones", prices["hosted_zone_month"], Grows: false),
            new("Health checks", estate.HealthChecks, "checks", prices["health_check_month"], Grows: false),
            new("Schedule", traffic.Monthly["sweep"] / Million, "million", prices["scheduler_million_invocations"], Grows: false),
            new("Key of the alarm topic", estate.Keys, "keys", prices["key_month"], Grows: false),
        ];
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ControlPlane.Executions;
using ControlPlane.Text;

namespace ControlPlane.Operator.Output;

/// <summary>Values as a person reads them.</summary>
internal static class DisplayText
{
    /// <summary>What becomes of executions while a data plane is silent.</summary>
    public const string Warn = "warn", Deny = "deny";

    public static string Of(long number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Of(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>An RFC 3339 time to the second, which is what a table has room for.</summary>
    [return: NotNullIfNotNull(nameof(time))]
    public static string? Time(string? time) => time?.IndexOf('.', StringComparison.Ordinal) is >= 0 and var at ? $"{time[..at]}Z" : time;

    public static string Of(Judgement verdict) => verdict switch
    {
        Judgement.Allow => "allow",
        Judgement.Warn => "warn",
        Judgement.Deny => "deny",
        Judgement.NotAsked => "not_asked",
    };

    public static string OfMilliseconds(long milliseconds) => Duration.Format(TimeSpan.FromMilliseconds(milliseconds));

    public static string GpuUnreadable(string tenant, string since) =>
        $"{tenant}: GPUs unreadable since {since}: GPU time is not metered in full. The sidecar's journal says why.";

    public static string List(IReadOnlyList<string> words) => words.Count == 0 ? "-" : string.Join(", ", words);

    public static IEnumerable<(string Name, string? Value)> Facts(TenantView tenant) =>
    [
        ("tenant", tenant.Tenant),
        ("name", tenant.Name),
        ("status", tenant.Status),
        ("vpc", tenant.Cidr),
        ("engine", tenant.Engine + (tenant.AllowPublicSubnet ? " (public subnets allowed)" : "")),
        ("AWS account", tenant.AwsAccount),
        ("engine role", tenant.EngineRole),
        ("channel", tenant.Channel),
        .. Limits(tenant),
    ];

    public static IEnumerable<(string Name, string? Value)> Limits(TenantView tenant) =>
    [
        ("monthly quota", Of(tenant.MonthlyQuota)),
        ("concurrency", Of(tenant.Concurrency)),
        ("monthly GPU", tenant.MonthlyGpuMs is { } gpu ? OfMilliseconds(gpu) : null),
        ("instances", $"at most {Of(tenant.InstancesMax)}"),
        ("when silent", tenant.WhenSilent),
    ];
}

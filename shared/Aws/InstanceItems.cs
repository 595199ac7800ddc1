using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>Instances as items, both ways. A tenant's partition sorts into closed months, instances, the tenant itself, and instances that are long
/// silent.</summary>
/// <remarks>Closed months sort before the instances, by month: one range, from a month to the tenant, is everything that the month's usage is made
/// of.</remarks>
internal static class InstanceItems
{
    public const string TenantKey = "TENANT";
    public const string GpuUnreadableSince = "gpu_unreadable_since";

    private const string InstancePrefix = "INSTANCE#";
    private const string ClosedPrefix = "CLOSED#";
    private const string FoldedPrefix = "VANISHED#";           // behind the tenant's own item, where no query of a month looks

    public static Item KeyOf(TenantId tenant, InstanceId instance) => Items.Key(tenant.ToString(), $"{InstancePrefix}{instance}");

    public static Item FoldedKeyOf(TenantId tenant, InstanceId instance) => Items.Key(tenant.ToString(), $"{FoldedPrefix}{instance}");

    /// <summary>The hub's own item: when it last looked, and whether most tenants are silent together.</summary>
    public static readonly Item WatchKey = Items.Key("HUB", "OUTAGE");

    public static Item TenantKeyOf(TenantId tenant) => Items.Key(tenant.ToString(), TenantKey);

    public static string FirstOf(Month month) => $"{ClosedPrefix}{month}#";

    public static bool IsInstance(Item item) => item.RequiredText("sk").StartsWith(InstancePrefix, StringComparison.Ordinal);

    public static bool IsClosedMonth(Item item) => item.RequiredText("sk").StartsWith(ClosedPrefix, StringComparison.Ordinal);

    public static Item Of(InstanceState state)
    {
        var item = state.IsFolded ? FoldedKeyOf(state.Tenant, state.Instance) : KeyOf(state.Tenant, state.Instance);
        item["epoch"] = Items.Number(state.Epoch);
        item["counter"] = Items.Number(state.Counter);
        item["body_hash"] = Items.Text(state.BodyHash);
        item["base_cpu_ms"] = Items.Number(state.Base.CpuMs);
        item["base_gpu_ms"] = Items.Number(state.Base.GpuMs);
        item["cpu_ms"] = Items.Number(state.Totals.CpuMs);
        item["gpu_ms"] = Items.Number(state.Totals.GpuMs);
        item["month"] = Items.Text(state.Month.ToString());
        item["month_cpu_ms"] = Items.Number(state.AtMonthStart.CpuMs);
        item["month_gpu_ms"] = Items.Number(state.AtMonthStart.GpuMs);
        item["sampled_at"] = Items.Time(state.SampledAt);
        item["last_seen"] = Items.Time(state.LastSeen);
        item["first_seen"] = Items.Time(state.FirstSeen);
        item["told"] = Items.Text(state.Told.Name);
        if (state.Restarts.Count > 0)
            item["restarts"] = new() { L = [.. state.Restarts.Select(Items.Time)] };
        if (state.GpuUnreadableSince is { } since)
            item[GpuUnreadableSince] = Items.Time(since);
        return item;
    }

    public static InstanceState ToState(Item item) => new()
    {
        Tenant = TenantId.Parse(item.RequiredText("pk")),
        Instance = InstanceId.Parse(item.RequiredText("sk").Split('#')[1]),
        IsFolded = item.RequiredText("sk").StartsWith(FoldedPrefix, StringComparison.Ordinal),
        Epoch = item.RequiredNumber("epoch"),
        Counter = item.RequiredNumber("counter"),
        BodyHash = item.RequiredText("body_hash"),
        Base = new(item.RequiredNumber("base_cpu_ms"), item.RequiredNumber("base_gpu_ms")),
        Totals = new(item.RequiredNumber("cpu_ms"), item.RequiredNumber("gpu_ms")),
        Month = Month.Parse(item.RequiredText("month")),
        AtMonthStart = new(item.RequiredNumber("month_cpu_ms"), item.RequiredNumber("month_gpu_ms")),
        SampledAt = item.RequiredTime("sampled_at"),
        LastSeen = item.RequiredTime("last_seen"),
        FirstSeen = item.RequiredTime("first_seen"),
        Told = ToTold(item) ?? Liveness.Healthy,
        Restarts = item.Texts("restarts") is { Count: > 0 } restarts ? [.. restarts.Select(Rfc3339.Parse)] : [],
        GpuUnreadableSince = item.OptionalTime(GpuUnreadableSince),
    };

    public static Item KeyOf(ClosedMonth closed) => Items.Key(closed.Tenant.ToString(), FirstOf(closed.Month) + closed.Instance);

    public static ClosedMonth ToClosedMonth(Item item)
    {
        var name = item.RequiredText("sk").Split('#');
        return new(
            TenantId.Parse(item.RequiredText("pk")), InstanceId.Parse(name[2]), Month.Parse(name[1]),
            new(item.RequiredNumber("cpu_ms"), item.RequiredNumber("gpu_ms")));
    }

    public static WatchState ToWatch(Item item) =>
        new(item.OptionalTime("swept_at"), item.OptionalTime("back_since"), item.OptionalTime("since"), item.OptionalTime("ended_at"));

    /// <returns>Null when nothing was ever told.</returns>
    public static Liveness? ToTold(Item item) => item.OptionalText("told") is { } told ? Liveness.Parse(told) : null;
}

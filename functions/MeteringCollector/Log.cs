using ControlPlane.Metering;
using ControlPlane.Tenants;
using Microsoft.Extensions.Logging;

namespace ControlPlane.MeteringCollector;

internal static partial class Log
{
    [LoggerMessage(EventId = 1, EventName = "heartbeat_accepted", Level = LogLevel.Information,
        Message = "Sample {Counter} of epoch {Epoch} from {Instance} of {TenantId}: repeat {IsRepeat}, gap {Gap}")]
    public static partial void HeartbeatAccepted(this ILogger log, TenantId tenantId, InstanceId instance, long epoch, long counter, bool isRepeat, long gap);

    /// <param name="tenantId">Whose key verified the signature; null before that.</param>
    [LoggerMessage(EventId = 2, EventName = "heartbeat_refused", Level = LogLevel.Warning, Message = "Heartbeat of {TenantId} with key {KeyId} refused: {Code}")]
    public static partial void HeartbeatRefused(this ILogger log, string code, string? tenantId, string? keyId);

    [LoggerMessage(EventId = 3, EventName = "heartbeat_failed", Level = LogLevel.Error, Message = "A heartbeat could not be booked; the sidecar sends it again")]
    public static partial void HeartbeatFailed(this ILogger log, Exception exception);

    [LoggerMessage(EventId = 4, EventName = "source_outside", Level = LogLevel.Warning, Message = "A heartbeat signed by {TenantId} came from outside its network (check: {Check})")]
    public static partial void SourceOutside(this ILogger log, TenantId tenantId, SourceNetworkCheck check);
}

using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Notes what one request or command of somebody changes. Whatever changes something at a person's word asks for one.</summary>
public sealed class Auditor
{
    private readonly AuditTrail _trail;
    private readonly Actor _actor;
    private readonly string _requestId;
    private readonly TimeProvider _clock;
    private readonly string? _mail;

    internal Auditor(AuditTrail trail, Actor actor, string requestId, TimeProvider clock, string? mail) =>
        (_trail, _actor, _requestId, _clock, _mail) = (trail, actor, requestId, clock, mail);

    /// <summary>Notes a change that is no table's, before it is made.</summary>
    public Task NoteAsync(string action, TenantId? tenant, string target, IReadOnlyList<AuditedValue> values, CancellationToken cancel) =>
        _trail.PutAsync(Of(action, tenant, target, values), cancel);

    /// <summary>The part of a change's transaction that is its record.</summary>
    internal TransactWriteItem Part(string action, TenantId? tenant, string target, params IReadOnlyList<AuditedValue> values) =>
        new() { Put = _trail.PutOf(Of(action, tenant, target, values)) };

    private AuditEntry Of(string action, TenantId? tenant, string target, IReadOnlyList<AuditedValue> values) =>
        new(_clock.GetUtcNow(), Guid.NewGuid().ToString("N")[..12], _actor, _mail, action, tenant, target, values, _requestId);
}

internal static class AuditedWrites
{
    /// <summary>Makes a change that nothing should hinder together with its record.</summary>
    /// <exception cref="ConditionalCheckFailedException">What it asks of the item that is there does not hold.</exception>
    public static async Task ChangeAsync(
        this IAmazonDynamoDB dynamo, TransactWriteItem change, TransactWriteItem record, TimeProvider clock, CancellationToken cancel)
    {
        if (await dynamo.TryChangeAsync(change, record, clock, cancel) is { } reason)
            throw new ConditionalCheckFailedException(reason.Message);
    }

    /// <summary>Makes a change together with its record, or neither.</summary>
    /// <returns>Null when it was made, else the item that failed the change's condition where the change asks for it.</returns>
    public static async Task<CancellationReason?> TryChangeAsync(
        this IAmazonDynamoDB dynamo, TransactWriteItem change, TransactWriteItem record, TimeProvider clock, CancellationToken cancel) =>
        await dynamo.TryWriteAsync(new() { TransactItems = [change, record] }, clock, cancel) is { } reasons ? reasons[0] : null;
}

using System.Text.Json.Serialization;
using ControlPlane.Audit;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Schedules;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane;

/// <summary>Everything of the shared domain that is written as JSON, into tables and queues.</summary>
/// <remarks>Nulls are written: a record's every member must be there to be read, so that a member left out is noticed.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16,
    Converters =
    [
        typeof(LowerCaseEnum<OutcomeStatus>), typeof(LowerCaseEnum<ParameterType>), typeof(LowerCaseEnum<FiringKind>), typeof(LowerCaseEnum<MonthlyLimit>),
        typeof(LowerCaseEnum<TenantStatus>), typeof(LowerCaseEnum<Liveness>), typeof(TextIdConverter<TenantId>),
    ])]
[JsonSerializable(typeof(ExecutionRequest))]
[JsonSerializable(typeof(Firing))]
[JsonSerializable(typeof(Requester))]
[JsonSerializable(typeof(DispatchRequest))]
[JsonSerializable(typeof(ApprovalGiven))]
[JsonSerializable(typeof(ApprovalRule))]
[JsonSerializable(typeof(Approval))]
[JsonSerializable(typeof(Notification))]
[JsonSerializable(typeof(UsageNotice))]
[JsonSerializable(typeof(PolicyDecision))]
[JsonSerializable(typeof(DispatchAttempt))]
[JsonSerializable(typeof(Outcome))]
[JsonSerializable(typeof(Workflow))]
[JsonSerializable(typeof(IReadOnlyList<StepDone>))]
[JsonSerializable(typeof(IReadOnlyList<AuditedValue>))]
[JsonSerializable(typeof(HubCensus))]
public sealed partial class DomainJson : JsonSerializerContext;

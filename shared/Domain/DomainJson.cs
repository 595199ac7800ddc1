using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane;

/// <summary>Everything of the shared domain that is written as JSON, into tables and queues.</summary>
/// <remarks>Nulls are written: a record's every member must be there to be read, so that a member left out is noticed.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16,
    Converters = [typeof(LowerCaseEnum<OutcomeStatus>), typeof(LowerCaseEnum<ParameterType>), typeof(WorkflowNameConverter)])]
[JsonSerializable(typeof(ExecutionRequest))]
[JsonSerializable(typeof(DispatchRequest))]
[JsonSerializable(typeof(Notification))]
[JsonSerializable(typeof(PolicyDecision))]
[JsonSerializable(typeof(DispatchAttempt))]
[JsonSerializable(typeof(Outcome))]
[JsonSerializable(typeof(Workflow))]
public sealed partial class DomainJson : JsonSerializerContext;

internal sealed class WorkflowNameConverter : JsonConverter<WorkflowName>
{
    public override WorkflowName Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        WorkflowName.TryParse(reader.GetString(), out var name) ? name : throw new JsonException("That is not a workflow name.");

    public override void Write(Utf8JsonWriter writer, WorkflowName value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class LowerCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) where T : struct, Enum;

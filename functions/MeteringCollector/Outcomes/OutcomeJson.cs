using System.Text.Json.Serialization;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>What engines send and are answered.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(OutcomeReceipt))]
[JsonSerializable(typeof(string))]
internal sealed partial class OutcomeJson : JsonSerializerContext;

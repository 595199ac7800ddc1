using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Text;

/// <summary>An enum as its names in JSON: <c>NotAsked</c> is <c>"not_asked"</c>.</summary>
public sealed class LowerCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) where T : struct, Enum;

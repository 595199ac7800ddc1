using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Amazon.Lambda.Core;
using Amazon.Lambda.Serialization.SystemTextJson.Converters;

namespace Amazon.Lambda.Serialization.SystemTextJson;

/// <summary>Lambda's JSON through a source-generated context.</summary>
/// <remarks>
/// The context is made anew with these options, so what its own <see cref="JsonSourceGenerationOptionsAttribute"/> says about casing does not count:
/// names are read in any case and written as C# has them, unless a <see cref="JsonPropertyNameAttribute"/> says otherwise. Null is not written.
/// </remarks>
public class SourceGeneratorLambdaJsonSerializer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TSGContext> : ILambdaSerializer
    where TSGContext : JsonSerializerContext
{
    private readonly TSGContext _context;

    public SourceGeneratorLambdaJsonSerializer() : this(null, null) { }

    public SourceGeneratorLambdaJsonSerializer(Action<JsonSerializerOptions>? customizer) : this(customizer, null) { }

    public SourceGeneratorLambdaJsonSerializer(Action<JsonWriterOptions>? jsonWriterCustomizer) : this(null, jsonWriterCustomizer) { }

    public SourceGeneratorLambdaJsonSerializer(Action<JsonSerializerOptions>? customizer, Action<JsonWriterOptions>? jsonWriterCustomizer)
    {
        WriterOptions = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        jsonWriterCustomizer?.Invoke(WriterOptions);

        SerializerOptions = CreateDefaultJsonSerializationOptions();
        customizer?.Invoke(SerializerOptions);

        var constructor = typeof(TSGContext).GetConstructor([typeof(JsonSerializerOptions)])
#pragma warning disable CA2201 // as the official one throws
            ?? throw new ApplicationException($"{typeof(TSGContext).FullName} has no constructor that takes JsonSerializerOptions.");
#pragma warning restore CA2201
        _context = (TSGContext)constructor.Invoke([SerializerOptions]);
    }

    protected JsonSerializerOptions SerializerOptions { get; }
    protected JsonWriterOptions WriterOptions { get; }

    public void Serialize<T>(T response, Stream responseStream)
    {
        try
        {
            using var writer = new Utf8JsonWriter(responseStream, WriterOptions);
            JsonSerializer.Serialize(writer, response, TypeInfo<T>());
        }
        catch (Exception e)
        {
            throw new JsonSerializerException(
                $"Error converting the response object of type {typeof(T).FullName} from the Lambda function to JSON: {e.Message}", e);
        }
    }

    public T Deserialize<T>(Stream requestStream)
    {
        try
        {
            return requestStream is MemoryStream memory && memory.TryGetBuffer(out var buffer)
                ? JsonSerializer.Deserialize(buffer.AsSpan((int)memory.Position), TypeInfo<T>())!
                : JsonSerializer.Deserialize(requestStream, TypeInfo<T>())!;
        }
        catch (Exception e)
        {
            throw new JsonSerializerException($"Error converting the Lambda event JSON payload to type {typeof(T).FullName}: {e.Message}", e);
        }
    }

    protected virtual JsonSerializerOptions CreateDefaultJsonSerializationOptions() => new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNameCaseInsensitive = true,
        PropertyNamingPolicy = new AwsNamingPolicy(),
        Converters = { new DateTimeConverter(), new MemoryStreamConverter(), new ByteArrayConverter() },
    };

    private JsonTypeInfo<T> TypeInfo<T>() => _context.GetTypeInfo(typeof(T)) as JsonTypeInfo<T>
        ?? throw new JsonSerializerException($"{_context.GetType().FullName} has no [JsonSerializable(typeof({typeof(T).Name}))].");
}

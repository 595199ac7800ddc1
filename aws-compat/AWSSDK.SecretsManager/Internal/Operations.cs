using System.Text.Json;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.SecretsManager.Model;

namespace Amazon.SecretsManager.Internal;

/// <summary>How each operation's members are written and read.</summary>
internal static class Operations
{
    private static readonly string[] Common = ["InternalServiceError", "InvalidParameterException", "InvalidRequestException", "ResourceNotFoundException"];
    private static readonly string[] OfReading = [.. Common, "DecryptionFailure"];
    private static readonly string[] OfMoving = [.. Common, "LimitExceededException"];
    private static readonly string[] OfWriting = [.. Common, "EncryptionFailure", "LimitExceededException", "ResourceExistsException"];

    public static InvokeOptions GetSecretValue() => Of<GetSecretValueRequest>(
        nameof(GetSecretValue),
        (json, request) =>
        {
            Write(json, "SecretId", request.SecretId);
            Write(json, "VersionId", request.VersionId);
            Write(json, "VersionStage", request.VersionStage);
        },
        json => new GetSecretValueResponse
        {
            ARN = Text(json, "ARN")!,
            CreatedDate = Time(json, "CreatedDate"),
            Name = Text(json, "Name")!,
            SecretBinary = Bytes(json, "SecretBinary"),
            SecretString = Text(json, "SecretString"),
            VersionId = Text(json, "VersionId")!,
            VersionStages = Texts(json, "VersionStages"),
        },
        OfReading);

    public static InvokeOptions PutSecretValue() => Of<PutSecretValueRequest>(
        nameof(PutSecretValue),
        (json, request) =>
        {
            Write(json, "ClientRequestToken", request.ClientRequestToken ?? Guid.NewGuid().ToString());
            Write(json, "RotationToken", request.RotationToken);
            Write(json, "SecretBinary", request.SecretBinary);
            Write(json, "SecretId", request.SecretId);
            Write(json, "SecretString", request.SecretString);
            Write(json, "VersionStages", request.VersionStages);
        },
        json => new PutSecretValueResponse
        {
            ARN = Text(json, "ARN")!,
            Name = Text(json, "Name")!,
            VersionId = Text(json, "VersionId")!,
            VersionStages = Texts(json, "VersionStages"),
        },
        OfWriting);

    public static InvokeOptions CreateSecret() => Of<CreateSecretRequest>(
        nameof(CreateSecret),
        (json, request) =>
        {
            Write(json, "ClientRequestToken", request.ClientRequestToken ?? Guid.NewGuid().ToString());
            Write(json, "Description", request.Description);
            Write(json, "KmsKeyId", request.KmsKeyId);
            Write(json, "Name", request.Name);
            Write(json, "SecretBinary", request.SecretBinary);
            Write(json, "SecretString", request.SecretString);
            Write(json, "Tags", request.Tags);
        },
        json => new CreateSecretResponse { ARN = Text(json, "ARN")!, Name = Text(json, "Name")!, VersionId = Text(json, "VersionId") },
        OfWriting);

    public static InvokeOptions UpdateSecretVersionStage() => Of<UpdateSecretVersionStageRequest>(
        nameof(UpdateSecretVersionStage),
        (json, request) =>
        {
            Write(json, "MoveToVersionId", request.MoveToVersionId);
            Write(json, "RemoveFromVersionId", request.RemoveFromVersionId);
            Write(json, "SecretId", request.SecretId);
            Write(json, "VersionStage", request.VersionStage);
        },
        json => new UpdateSecretVersionStageResponse { ARN = Text(json, "ARN")!, Name = Text(json, "Name")! },
        OfMoving);

    private static InvokeOptions Of<TRequest>(
        string name, Action<Utf8JsonWriter, TRequest> write, Func<JsonElement, AmazonWebServiceResponse> read, IReadOnlyList<string> errors)
        where TRequest : AmazonWebServiceRequest =>
        new() { RequestMarshaller = new RequestMarshaller<TRequest>(name, write), ResponseUnmarshaller = new ResponseUnmarshaller(read, errors) };

    private static void Write(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
            json.WriteString(name, text);
    }

    private static void Write(Utf8JsonWriter json, string name, MemoryStream? bytes)
    {
        if (bytes is not null)
            json.WriteBase64String(name, bytes.ToArray());
    }

    private static void Write(Utf8JsonWriter json, string name, List<string>? texts)
    {
        if (texts is null)
            return;
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string name, List<Tag>? tags)
    {
        if (tags is null)
            return;
        json.WriteStartArray(name);
        foreach (var tag in tags)
        {
            json.WriteStartObject();
            Write(json, "Key", tag.Key);
            Write(json, "Value", tag.Value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static MemoryStream? Bytes(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? new(value.GetBytesFromBase64()) : null;

    private static List<string>? Texts(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(item => item.GetString()!)]
            : null;

    // Seconds since the Unix epoch, with a fraction.
    private static DateTime? Time(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? DateTime.UnixEpoch.AddSeconds(value.GetDouble()) : null;
}

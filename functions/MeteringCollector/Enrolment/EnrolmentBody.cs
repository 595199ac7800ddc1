using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Text;
using ControlPlane.Tokens;

namespace ControlPlane.MeteringCollector.Enrolment;

/// <summary>A wish to enrol as it is written on the wire.</summary>
/// <param name="PublicKey">Base64 of the 32 bytes.</param>
internal sealed record EnrolmentBody(string Schema, string TenantId, string InstanceId, string PublicKey)
{
    public const string SchemaV1 = "enrol.v1";

    /// <summary>Reads a body whose every member has a meaning.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out Applicant? applicant)
    {
        applicant = null;
        if (!StrictJson.TryParse(json, EnrolmentJson.Default.EnrolmentBody, out var body) || body.Schema != SchemaV1)
            return false;
        if (!Tenants.TenantId.TryParse(body.TenantId, out var tenant) || !Metering.InstanceId.TryParse(body.InstanceId, out var instance))
            return false;
        if (StrictBase64.Decode(body.PublicKey) is not { Length: SidecarPublicKey.Length } bytes || !SidecarPublicKey.TryAdmit(bytes, out var key))
            return false;
        applicant = new(tenant, instance, bytes, key);
        return true;
    }
}

/// <summary>Who wants to enrol, by its own words.</summary>
internal sealed record Applicant(TenantId Tenant, InstanceId Instance, byte[] PublicKey, SidecarPublicKey Key)
{
    public SidecarKey Registration(DateTimeOffset now) => new(Key.KeyId, Tenant, Instance.ToString(), PublicKey, now, NotAfter: null, RevokedAt: null);
}

/// <summary>The answer to a key that is registered.</summary>
/// <param name="Duplicate">Whether it was so before.</param>
internal sealed record EnrolmentReceipt(string KeyId, string TenantId, string InstanceId, bool Duplicate);

/// <summary>What sidecars that enrol send and are answered.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(EnrolmentBody))]
[JsonSerializable(typeof(EnrolmentReceipt))]
internal sealed partial class EnrolmentJson : JsonSerializerContext;

using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Tenants;
using Microsoft.IdentityModel.Tokens;

namespace ControlPlane.Tokens;

/// <summary>A tenant's private key of one generation. It prints as its key id and does not serialize.</summary>
[JsonConverter(typeof(Unserializable))]
public sealed class TenantSigningKey : IDisposable
{
    private readonly ECDsa _key;

    internal TenantSigningKey(ECDsa key)
    {
        _key = key;
        Public = new(ECDsa.Create(key.ExportParameters(includePrivateParameters: false)));
        Credentials = new(PublicKey.KeyObject(key, Public.Id), TokenKinds.Algorithm);
    }

    public PublicKey Public { get; }

    public KeyId Id => Public.Id;

    internal SigningCredentials Credentials { get; }

    public override string ToString() => Id.ToString();

    public void Dispose()
    {
        _key.Dispose();
        Public.Dispose();
    }

    private sealed class Unserializable : JsonConverter<TenantSigningKey>
    {
        public override TenantSigningKey Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("A private key is not read from JSON.");

        public override void Write(Utf8JsonWriter writer, TenantSigningKey value, JsonSerializerOptions options) =>
            throw new NotSupportedException("A private key is not written as JSON.");
    }
}

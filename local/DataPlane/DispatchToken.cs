using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ControlPlane.Local.DataPlane;

/// <summary>An engine's check of the control plane's token, written against the contract and not against the control plane's code.</summary>
internal static class DispatchToken
{
    /// <returns>What is wrong with it, or null.</returns>
    public static string? Fault(string token, byte[] body, string tenant, JsonElement keys, DateTimeOffset now)
    {
        if (token.Split('.') is not [var header, var payload, var signature])
            return "not three parts";
        using var headerJson = JsonDocument.Parse(Base64Url.DecodeFromChars(header));
        if (headerJson.RootElement.GetProperty("alg").GetString() != "ES256")
            return "another algorithm";
        if (headerJson.RootElement.GetProperty("typ").GetString() != "dispatch+jwt")
            return "another type of token";
        if (!Verifies(keys, headerJson.RootElement.GetProperty("kid").GetString()!, $"{header}.{payload}", Base64Url.DecodeFromChars(signature)))
            return "not signed by this tenant's key";

        using var payloadJson = JsonDocument.Parse(Base64Url.DecodeFromChars(payload));
        var claims = payloadJson.RootElement;
        var second = now.ToUnixTimeSeconds();
        if (claims.GetProperty("aud").GetString() != $"urn:dp:{tenant}" || claims.GetProperty("tenant_id").GetString() != tenant)
            return "for another tenant";
        if (second >= claims.GetProperty("exp").GetInt64() || second < claims.GetProperty("nbf").GetInt64())
            return "not valid now";
        return claims.GetProperty("bsh").GetString() == Base64Url.EncodeToString(SHA256.HashData(body)) ? null : "for another body";
    }

    private static bool Verifies(JsonElement keys, string keyId, string signed, byte[] signature)
    {
        foreach (var key in keys.GetProperty("keys").EnumerateArray().Where(key => key.GetProperty("kid").GetString() == keyId))
        {
            using var ecdsa = ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new() { X = Base64Url.DecodeFromChars(key.GetProperty("x").GetString()), Y = Base64Url.DecodeFromChars(key.GetProperty("y").GetString()) },
            });
            return ecdsa.VerifyData(Encoding.ASCII.GetBytes(signed), signature, HashAlgorithmName.SHA256);
        }

        return false;
    }
}

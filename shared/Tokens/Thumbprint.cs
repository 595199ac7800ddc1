using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Tenants;

namespace ControlPlane.Tokens;

/// <summary>A key's thumbprint (RFC 7638 §3).</summary>
internal static class Thumbprint
{
    /// <param name="jwk">The required members (§3.2) in the order of their names, without blanks (§3.3). All ASCII.</param>
    public static KeyId Of(string jwk) => KeyId.Parse(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(jwk))));
}

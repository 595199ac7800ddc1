using ControlPlane.Tokens;

namespace ControlPlane.Tests.Tokens;

/// <summary>The signature check as the verifier's library makes it, with the product's key object.</summary>
internal static class Es256
{
    public static bool Verifies(PublicKey key, byte[] signed, byte[] signature)
    {
        var factory = key.ForVerifying.CryptoProviderFactory;
        var provider = factory.CreateForVerifying(key.ForVerifying, TokenKinds.Algorithm);
        try
        {
            return provider.Verify(signed, signature);
        }
        finally
        {
            factory.ReleaseSignatureProvider(provider);
        }
    }
}

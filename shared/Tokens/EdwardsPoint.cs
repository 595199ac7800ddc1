using System.Numerics;

namespace ControlPlane.Tokens;

/// <summary>Whether 32 bytes are a point at all. Half of all texts are not.</summary>
/// <remarks>RFC 8032 §5.1.3, steps 1 and 2: x² = (y² − 1) / (d y² + 1) must have a root.</remarks>
internal static class EdwardsPoint
{
    private static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;
    private static readonly BigInteger D = Modulo(-121665 * BigInteger.ModPow(121666, P - 2, P));

    public static bool IsOnCurve(ReadOnlySpan<byte> encoded)
    {
        Span<byte> bytes = stackalloc byte[32];
        encoded.CopyTo(bytes);
        bytes[^1] &= 0x7F;                                  // the top bit is the sign of x
        var y = new BigInteger(bytes, isUnsigned: true);
        var square = Modulo((y * y - 1) * BigInteger.ModPow(Modulo(D * y * y + 1), P - 2, P));
        return square.IsZero || BigInteger.ModPow(square, (P - 1) / 2, P).IsOne;        // Euler's criterion
    }

    private static BigInteger Modulo(BigInteger number) => (number % P + P) % P;
}

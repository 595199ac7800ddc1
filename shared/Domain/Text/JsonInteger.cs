namespace ControlPlane.Text;

/// <summary>The integers that every JSON reader keeps exactly, those included that keep numbers as doubles: ±(2^53 − 1).</summary>
/// <remarks>RFC 8259 §6.</remarks>
public static class JsonInteger
{
    public const long Highest = 9_007_199_254_740_991;

    public static bool Holds(long number) => number is >= -Highest and <= Highest;
}

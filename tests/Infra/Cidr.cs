using System.Globalization;
using System.Net;

namespace ControlPlane.Tests.Infra;

/// <summary>A block of IPv4 addresses, in its canonical spelling.</summary>
internal readonly record struct Cidr(uint First, int Length)
{
    public ulong Size => 1UL << (32 - Length);

    public uint Last => (uint)(First + Size - 1);

    public static Cidr Parse(string text)
    {
        var parts = text.Split('/');
        var block = new Cidr(Number(parts[0]), int.Parse(parts[1], CultureInfo.InvariantCulture));
        return block.First % block.Size == 0 && block.ToString() == text ? block : throw new FormatException($"{text} is not the canonical name of a block.");
    }

    public static uint Number(string address)
    {
        var bytes = IPAddress.Parse(address).GetAddressBytes();
        return ((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3];
    }

    public bool Contains(string address) => Number(address) is var number && number >= First && number <= Last;

    public bool Contains(Cidr other) => other.First >= First && other.Last <= Last;

    public bool Overlaps(Cidr other) => First <= other.Last && other.First <= Last;

    /// <summary>The address <paramref name="offset"/> places above the first.</summary>
    public string Address(uint offset) =>
        new IPAddress([(byte)((First + offset) >> 24), (byte)((First + offset) >> 16), (byte)((First + offset) >> 8), (byte)(First + offset)]).ToString();

    public override string ToString() => $"{Address(0)}/{Length}";
}

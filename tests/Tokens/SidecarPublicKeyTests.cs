using System.Numerics;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.Tokens;

public sealed class SidecarPublicKeyTests
{
    private static readonly BigInteger Prime = BigInteger.Pow(2, 255) - 19;

    [Fact]
    public void Every_Wycheproof_signature_comes_out_as_stated()
    {
        using var vectors = Vectors.Read("wycheproof_ed25519.json");
        var cases = 0;
        foreach (var group in vectors.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                var says = Verify(
                    group.GetProperty("publicKey").GetProperty("pk").GetString()!, test.GetProperty("msg").GetString()!, test.GetProperty("sig").GetString()!);
                Assert.True(says == (test.GetProperty("result").GetString() == "valid"), $"case {test.GetProperty("tcId")}");
                cases++;
            }
        }
        Assert.Equal(151, cases);
    }

    [Fact]
    public void Every_signature_of_RFC_8032_verifies()
    {
        using var vectors = Vectors.Read("rfc8032_ed25519.json");
        foreach (var test in vectors.RootElement.GetProperty("cases").EnumerateArray())
            Assert.True(Verify(test.GetProperty("public").GetString()!, test.GetProperty("message").GetString()!, test.GetProperty("signature").GetString()!));
    }

    [Fact]
    public void Of_the_speccheck_cases_only_the_third_is_accepted()
    {
        using var vectors = Vectors.Read("speccheck_ed25519.json");
        var accepted = vectors.RootElement.GetProperty("cases").EnumerateArray()
            .Where(
                test => Verify(test.GetProperty("pub_key").GetString()!, test.GetProperty("message").GetString()!, test.GetProperty("signature").GetString()!))
            .Select(test => test.GetProperty("index").GetInt32());
        Assert.Equal([3], accepted);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(65)]
    public void A_signature_of_another_length_is_false_and_no_exception(int length)
    {
        Assert.True(SidecarPublicKey.TryImport(Convert.FromHexString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), out var key));
        Assert.False(key.Verify("foo"u8, new byte[length]));
    }

    [Fact]
    public void A_key_is_called_by_its_thumbprint()
    {
        // RFC 8037 appendix A.3
        Assert.True(SidecarPublicKey.TryImport(Convert.FromHexString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), out var key));
        Assert.Equal("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", key.KeyId.ToString());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_key_has_thirty_two_bytes(int length)
    {
        var bytes = new byte[length];
        if (length > 0) bytes[0] = 9;
        Assert.False(SidecarPublicKey.TryImport(bytes, out _));
    }

    [Fact]
    public void Points_of_small_order_are_refused_in_every_encoding()
    {
        var orderEight =
            new[] { "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a" };
        var ys = orderEight.Select(hex => new BigInteger(Convert.FromHexString(hex), isUnsigned: true)).Concat([0, 1, Prime - 1]).ToList();
        Assert.All(ys, y => AssertOnCurveWithSmallOrder(y));

        // Each y, each y + p that still fits 255 bits, with both signs of x.
        foreach (var y in ys.Concat(ys.Select(y => y + Prime)).Where(y => y.GetBitLength() <= 255))
            foreach (var sign in new[] { 0, 0x80 })
                Assert.False(SidecarPublicKey.TryImport(Encode(y, sign), out _), $"y = {y}, sign {sign}");
    }

    [Fact]
    public void A_y_that_is_not_below_the_prime_is_refused()
    {
        for (var y = Prime; y.GetBitLength() <= 255; y++)
            foreach (var sign in new[] { 0, 0x80 })
                Assert.False(SidecarPublicKey.TryImport(Encode(y, sign), out _), $"p + {y - Prime}");

        Assert.True(SidecarPublicKey.TryImport(Encode(Prime - 2, 0), out _));
        Assert.True(SidecarPublicKey.TryImport(Encode(Prime - 2, 0x80), out _));
        Assert.True(SidecarPublicKey.TryImport(Encode(2, 0), out _));
    }

    [Fact]
    public void A_new_key_has_to_be_a_point()
    {
        Assert.True(SidecarPublicKey.TryImport(Encode(2, 0), out _));
        Assert.False(SidecarPublicKey.TryAdmit(Encode(2, 0), out var none));
        Assert.Null(none);
        Assert.False(SidecarPublicKey.TryAdmit(Encode(1, 0), out _));       // a point, of order 1
        Assert.False(SidecarPublicKey.TryAdmit(new byte[31], out _));
    }

    [Fact]
    public void Every_key_that_is_made_is_admitted()
    {
        for (var i = 0; i < 50; i++)
        {
            using var key = NSec.Cryptography.Key.Create(NSec.Cryptography.SignatureAlgorithm.Ed25519);
            var bytes = key.PublicKey.Export(NSec.Cryptography.KeyBlobFormat.RawPublicKey);
            Assert.True(SidecarPublicKey.TryAdmit(bytes, out _), Convert.ToHexString(bytes));
        }
    }

    private static bool Verify(string key, string message, string signature) =>
        SidecarPublicKey.TryImport(Convert.FromHexString(key), out var imported)
            && imported.Verify(Convert.FromHexString(message), Convert.FromHexString(signature));

    private static byte[] Encode(BigInteger y, int sign)
    {
        var bytes = new byte[32];
        y.TryWriteBytes(bytes, out _, isUnsigned: true);
        bytes[31] |= (byte)sign;
        return bytes;
    }

    // On −x² + y² = 1 + dx²y², three doublings lead such a point to the neutral element (0, 1). The sign of x plays no part.
    private static void AssertOnCurveWithSmallOrder(BigInteger y)
    {
        var d = Mod(-121665 * Inverse(121666));
        var xSquared = Mod((y * y - 1) * Inverse(d * y * y + 1));
        for (var doubling = 0; doubling < 3; doubling++)
        {
            // y₂ = (y² + x²) / (1 − d·x²y²), x₂² = 4x²y² / (1 + d·x²y²)²
            var product = Mod(d * xSquared % Prime * y * y);
            (y, xSquared) = (Mod((y * y + xSquared) * Inverse(1 - product)), Mod(4 * xSquared * y * y * BigInteger.ModPow(Inverse(1 + product), 2, Prime)));
        }
        Assert.Equal((BigInteger.One, BigInteger.Zero), (y, xSquared));
    }

    private static BigInteger Mod(BigInteger value) => (value % Prime + Prime) % Prime;

    private static BigInteger Inverse(BigInteger value) => BigInteger.ModPow(Mod(value), Prime - 2, Prime);
}

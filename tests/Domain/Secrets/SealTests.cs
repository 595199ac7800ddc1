using System.Security.Cryptography;
using System.Text;
using ControlPlane.Secrets;

namespace ControlPlane.Tests.Domain.Secrets;

public sealed class SealTests
{
    private static readonly byte[] Key = [.. Enumerable.Repeat((byte)7, Seal.KeySize)], Older = [.. Enumerable.Repeat((byte)8, Seal.KeySize)];

    [Theory]
    [InlineData("x"), InlineData("https://hooks.slack.com/commands/T1/2/3"), InlineData("caf\u00e9 \u2603")]
    public void What_is_sealed_opens_with_any_of_the_keys_for_its_purpose(string text)
    {
        var seal = Seal.Close(Key, text, "of|one");
        Assert.Equal(text, Seal.Open(seal, [Older, Key], "of|one"));
        Assert.Null(Seal.Open(seal, [Older], "of|one"));
        Assert.Null(Seal.Open(seal, [], "of|one"));
        Assert.Null(Seal.Open(seal, [Key], "of|another"));
    }

    [Fact]
    public void A_seal_of_which_one_bit_differs_does_not_open()
    {
        var seal = Seal.Close(Key, "text", "p");
        Assert.Equal(12 + 16 + 4, seal.Length);
        for (var bit = 0; bit < seal.Length * 8; bit++)
        {
            byte[] other = [.. seal];
            other[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(Seal.Open(other, [Key], "p"));
        }
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(27), InlineData(28)]
    public void What_is_too_short_to_hold_a_text_is_no_seal(int length) => Assert.Null(Seal.Open(new byte[length], [Key], "p"));

    [Fact]
    public void No_two_seals_are_alike() => Assert.NotEqual(Seal.Close(Key, "text", "p"), Seal.Close(Key, "text", "p"));

    [Fact]
    public void A_code_is_read_as_it_is_written_and_prints_as_nothing()
    {
        for (var i = 0; i < 100; i++)
        {
            var code = OneTimeCode.Make();
            Assert.True(OneTimeCode.TryParse(code.Text, out var read));
            Assert.Equal(code.Hash, read.Hash);
            Assert.Equal("OneTimeCode", code.ToString());
        }
        const string zero = "AAAAAAAAAAAAAAAAAAAAAA";
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(zero))), HashOf(zero));
    }

    [Theory]
    [InlineData(null), InlineData(""), InlineData("AAAAAAAAAAAAAAAAAAAAA"), InlineData("AAAAAAAAAAAAAAAAAAAAAAA"), InlineData("AAAAAAAAAAAAAAAAAAAAAB"),
        InlineData("AAAAAAAAAA AAAAAAAAAAA"), InlineData("AAAAAAAAAA+AAAAAAAAAAA"), InlineData("AAAAAAAAAAAAAAAAAAAA==")]
    public void What_no_code_looks_like_is_none(string? text)
    {
        Assert.False(OneTimeCode.TryParse(text, out var code));
        Assert.Null(code);
    }

    private static string HashOf(string text) => OneTimeCode.TryParse(text, out var code) ? code.Hash : "";
}

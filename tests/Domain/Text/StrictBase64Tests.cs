using ControlPlane.Text;
using CsCheck;

namespace ControlPlane.Tests.Domain.Text;

public class StrictBase64Tests
{
    [Fact]
    public void What_was_encoded_is_decoded() =>
        Gen.Byte.Array[0, 100].Sample(bytes => StrictBase64.Decode(Convert.ToBase64String(bytes))!.AsSpan().SequenceEqual(bytes));

    [Theory]
    [InlineData("QQ")]          // no padding
    [InlineData("QQ=")]
    [InlineData("QR==")]        // unused bits set
    [InlineData("QUJ=")]
    [InlineData("QQ== ")]
    [InlineData("Q Q==")]
    [InlineData("QQ==\n")]
    [InlineData("QQ==QQ==")]
    [InlineData("-_8=")]        // base64url
    [InlineData("====")]
    [InlineData("QQ\0=")]
    public void Any_other_spelling_is_refused(string text) => Assert.Null(StrictBase64.Decode(text));

    [Fact]
    public void One_text_a_value() =>
        Gen.String[Gen.Char["AQRZaz019+/=-_ \n"], 0, 12].Sample(text => StrictBase64.Decode(text) is not { } bytes || Convert.ToBase64String(bytes) == text);
}

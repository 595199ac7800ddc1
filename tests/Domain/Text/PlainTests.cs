using ControlPlane.Text;

namespace ControlPlane.Tests.Domain.Text;

/// <summary>What comes from others does nothing to the terminal that it is printed on.</summary>
public sealed class PlainTests
{
    [Theory]
    [InlineData("", ""), InlineData("Basel", "Basel"), InlineData("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600")]
    [InlineData("\u001b[2Jgone", "\ufffd[2Jgone")]                  // an escape sequence
    [InlineData("two\nlines\r", "two\ufffdlines\ufffd"), InlineData("bell\a", "bell\ufffd"), InlineData("c1\u009b", "c1\ufffd"), InlineData("\u007f", "\ufffd")]
    [InlineData("a\u2028b\u2029c", "a\ufffdb\ufffdc")]
    [InlineData("\u200b\u200f\u202a\u202e\u2066\u2069\ufeff", "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd")]       // turns the direction, or is not seen
    [InlineData("\u200a\u2010\u2027\u202f\u2065\u206a\ufefe", "\u200a\u2010\u2027\u202f\u2065\u206a\ufefe")]
    public void What_moves_the_cursor_or_turns_the_text_is_shown_as_unknown(string text, string safe) => Assert.Equal(safe, Plain.Text(text));
}

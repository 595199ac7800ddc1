using System.Text;
using ControlPlane.Text;

namespace ControlPlane.Tests.Domain.Text;

/// <summary>What nobody sees, in commands and in what is told.</summary>
public sealed class InvisibleTests
{
    [Theory]
    [InlineData(null, true), InlineData("", true), InlineData(" \t\r\n", true), InlineData("\u00a0\u2003\u3000", true)]
    [InlineData("\ufeff\u200b\u200e\u2060", true)]                   // marks that programs leave
    [InlineData("\u0000\u0007\u007f\u0085", true)]
    [InlineData("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2800\u3164\uffa0\ufe00\ufe0f", true)]      // letters without ink
    [InlineData("\U000e0100\U000e01ef\U000e0041", true)]
    [InlineData("a", false), InlineData(" a ", false), InlineData("\u200bx", false), InlineData("\U0001f600", false)]
    [InlineData("\u034e", false), InlineData("\u1161", false), InlineData("\u180a", false), InlineData("\u2801", false), InlineData("\ufe10", false)]
    [InlineData("\u115e", false), InlineData("\u17b6", false), InlineData("\u1810", false), InlineData("\u3165", false), InlineData("\uffa1", false)]
    public void What_would_show_nothing_is_blank(string? text, bool isBlank) => Assert.Equal(isBlank, Invisible.IsBlank(text));

    [Theory]
    [InlineData("run", "run"), InlineData("  run  ", "run"), InlineData("\ufeffrun\u200b", "run"), InlineData("a b", "a b")]
    [InlineData("\u00a0a\u00a0b\u00a0", "a\u00a0b"), InlineData("", ""), InlineData(" \u200b ", ""), InlineData(" \U0001f600 ", "\U0001f600")]
    [InlineData("\U000e0100x\U000e0100", "x"), InlineData("x ", "x"), InlineData(" x", "x")]
    public void What_is_around_a_text_and_not_seen_is_cut_off(string text, string trimmed) => Assert.Equal(trimmed, Invisible.Trim(text));

    [Theory]
    [InlineData('\u200e', true), InlineData('\u00ad', true), InlineData('\ufeff', true)]
    [InlineData(' ', false), InlineData('\n', false), InlineData('a', false)]
    public void Marks_of_format_are_no_blanks(char character, bool isFormat) => Assert.Equal(isFormat, Invisible.IsFormat(new Rune(character)));
}

using ControlPlane.Text;

namespace ControlPlane.Tests.Domain.Text;

/// <summary>What is offered to whoever mistyped.</summary>
public sealed class DidYouMeanTests
{
    private static readonly string[] Verbs = ["help", "list", "run", "schedule", "status", "usage"];

    [Theory]
    [InlineData("run", "run")]
    [InlineData("RUN", "run")]
    [InlineData("rnu", "run")]              // two letters swapped are one slip
    [InlineData("rrun", "run")]
    [InlineData("ru", "run")]
    [InlineData("ran", "run")]
    [InlineData("rxx", null)]               // two slips in so short a word are another word
    [InlineData("helpp", "help")]
    [InlineData("hlpee", null)]
    [InlineData("statsu", "status")]
    [InlineData("sttauts", "status")]       // two slips in a longer one are not
    [InlineData("sxxxus", null)]
    [InlineData("schdle", "schedule")]
    [InlineData("scxxxule", null)]
    [InlineData("schedulexxx", "schedule")]
    [InlineData("schedulexxxx", null)]
    [InlineData("", null)]
    [InlineData("x", null)]
    public void The_nearest_word_is_offered_where_one_is_near(string typed, string? expected) => Assert.Equal(expected, DidYouMean.Nearest(typed, Verbs));

    [Fact]
    public void Of_two_that_are_as_near_the_first_by_the_alphabet_is_offered() =>
        Assert.Equal(("bat", "bat"), (DidYouMean.Nearest("hat", ["cat", "bat"]), DidYouMean.Nearest("hat", ["bat", "cat"])));

    [Fact]
    public void Where_there_is_nothing_nothing_is_offered() => Assert.Null(DidYouMean.Nearest("a", []));

    [Theory]
    [InlineData(64, true), InlineData(65, false)]
    public void A_word_is_compared_as_long_as_it_is_one(int length, bool isOffered)
    {
        var word = new string('a', 64);
        Assert.Equal(isOffered, DidYouMean.Nearest(new('a', length), [word]) == word);
    }

    [Theory]
    [InlineData("", "", 0), InlineData("", "abc", 3), InlineData("abc", "", 3), InlineData("abc", "abc", 0)]
    [InlineData("abc", "abd", 1), InlineData("abc", "ab", 1), InlineData("abc", "abcd", 1), InlineData("abc", "acb", 1), InlineData("ab", "ba", 1)]
    [InlineData("abcd", "badc", 2), InlineData("kitten", "sitting", 3), InlineData("abcdef", "fedcba", 5), InlineData("aab", "aba", 1)]
    public void Slips_are_counted_one_by_one(string one, string other, int slips) =>
        Assert.Equal((slips, slips), (DidYouMean.Distance(one, other), DidYouMean.Distance(other, one)));
}

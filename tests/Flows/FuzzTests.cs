using System.Text;
using ControlPlane.Bench.Fuzz;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows;

/// <summary>Everything that reads what others wrote, with what is kept in bench/fuzz/corpus and some thousand changes to it: the same ones every time.
/// <c>bench/fuzz/run</c> looks further.</summary>
public sealed class FuzzTests
{
    private const int Changes = 2000;

    public static TheoryData<string> Names => [.. Targets.All.Keys];

    [Fact]
    public void Every_parser_has_inputs_that_are_kept() => Assert.Equal(
        Targets.All.Keys, Directory.GetDirectories(Path.Combine(RepositoryRoot.Find(), "bench", "fuzz", "corpus")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void Whatever_comes_is_read_or_refused(string target)
    {
        var kept = Corpus.Of(RepositoryRoot.Find(), target);
        var mutator = new Mutator(kept, seed: 19);
        foreach (var input in kept.Concat(Enumerable.Range(0, Changes).Select(_ => mutator.Next())))
        {
            var thrown = Record.Exception(() => Targets.All[target](input));
            Assert.True(thrown is null, $"{thrown}\nof {Convert.ToBase64String(input)}: {Encoding.UTF8.GetString(input)}");
        }
    }
}

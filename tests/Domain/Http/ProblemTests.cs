using System.Text.Json;
using ControlPlane.Http;

namespace ControlPlane.Tests.Domain.Http;

public sealed class ProblemTests
{
    private static readonly Uri Hub = new("https://cp.example.com");

    [Fact]
    public void A_problem_is_one_of_RFC_9457_with_a_code_to_act_on() => Assert.Equal(
        """{"type":"https://cp.example.com/problems/too-large","title":"Body too large","status":413,"detail":"The body is larger than this endpoint takes.","instance":"r1","code":"too-large","retryable":false}""",
        Problem.TooLarge.ToJson(Hub, "r1"));

    [Fact]
    public void What_more_there_is_to_know_stands_behind_it()
    {
        var problem = new Problem(409, "counter-replayed", "Replayed", "Older.", Extensions: new Dictionary<string, JsonElement>
        {
            ["epoch"] = JsonElement.Parse("7"),
            ["expected"] = JsonElement.Parse("6"),
        });
        Assert.EndsWith(""","code":"counter-replayed","retryable":false,"epoch":7,"expected":6}""", problem.ToJson(Hub, "r1"), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_our_own_trouble_is_worth_another_try()
    {
        Assert.Equal((503, true, TimeSpan.FromSeconds(5)), (Problem.Unavailable.Status, Problem.Unavailable.Retryable, Problem.Unavailable.RetryAfter));
        Assert.Contains("\"retryable\":true", Problem.Unavailable.ToJson(Hub, "r1"), StringComparison.Ordinal);
        Assert.All(
            [Problem.Malformed, Problem.TooLarge, Problem.UnsupportedMediaType],
            problem => Assert.Equal((false, null), (problem.Retryable, problem.RetryAfter)));
        Assert.Equal((400, 413, 415), (Problem.Malformed.Status, Problem.TooLarge.Status, Problem.UnsupportedMediaType.Status));
    }
}

using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows;

/// <summary>The pages of docs/trials, followed word by word.</summary>
public sealed class TrialTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("trial-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public Task A_second_tenant() => PageFollower.FollowAsync("docs/trials/second-tenant.md", [], _state, Cancel);

    [Fact]
    public Task A_real_n8n() => PageFollower.FollowAsync("docs/trials/real-n8n.md", OnThePath("n8n"), _state, Cancel);

    [Fact]
    public Task A_real_Slack_workspace() => PageFollower.FollowAsync("docs/trials/real-slack.md", [], _state, Cancel);

    [Theory]
    [InlineData("```sh\nfalse\n```\n", "line 1 of the page")]
    [InlineData("```sh\necho one\n```\n\n```text\ntwo\n```\n", "line 1 of the page")]
    [InlineData("```sh tunnel\nif then\n```\n", "syntax error")]
    [InlineData("```sh\nexit 0\n```\n", "was not followed to its end")]
    [InlineData("```sh\necho well\n```\n\n```sh\nif curl -s --max-time 2 http://192.0.2.1/; then false; fi\n```\n", null)]
    public async Task A_page_whose_commands_do_something_else_is_noticed_and_nothing_gets_out(string page, string? fault)
    {
        var file = Path.Combine(_state, "page.md");
        await File.WriteAllTextAsync(file, page, Cancel);
        var followed = await Record.ExceptionAsync(() => PageFollower.FollowAsync(file, [], _state, Cancel));
        if (fault is null)
            Assert.Null(followed);
        else
            Assert.Contains(fault, followed?.Message, StringComparison.Ordinal);
    }

    private static string[] OnThePath(string program) =>
        [.. Environment.GetEnvironmentVariable("PATH")!.Split(':').Where(folder => File.Exists(Path.Combine(folder, program))).Select(_ => program).Distinct()];
}

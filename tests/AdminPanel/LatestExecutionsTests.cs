using System.Globalization;
using ControlPlane.Administration;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using CsCheck;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>Many tenants' executions as one list, page after page.</summary>
public sealed class LatestExecutionsTests(LocalCloud cloud)
{
    private static readonly WorkflowName[] Workflows = [WorkflowName.Parse("report"), WorkflowName.Parse("forecast")];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Few moments for many executions: most share theirs, within a tenant and across.</summary>
    [Fact]
    public async Task Pages_of_any_size_hold_every_fitting_execution_once_newest_first_and_of_one_moment_by_id()
    {
        await using var panel = await PanelFixture.StartEmptyAsync(cloud);
        var latest = new LatestExecutions(panel.Executions);
        var number = 0;
        var one = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 6], Gen.Int[0, 1], Gen.Int[0, 3], Gen.Int[0, 2]);

        await Gen.Select(one.Array[0, 40], Gen.Int[1, 9], Gen.Int[-1, 1], Gen.Int[-1, 3], Gen.Int[-1, 2], Gen.Int[-1, 7]).SampleAsync(async sample =>
        {
            var (made, size, workflow, state, user, since) = sample;
            // Tenants of its own for each sample: the tables are the same.
            TenantId[] tenants = [.. Enumerable.Range(number * 3 % 153 + 1, 3).Select(n => TenantId.Parse(string.Create(CultureInfo.InvariantCulture, $"tenant-{n}")))];
            number++;
            var executions = made.Select((m, i) => PanelFixture.Execution(
                ExecutionId.Of($"T{number}", $"{i}"), tenants[m.Item1], ExecutionStates.All[m.Item4 + 5], panel.Now.AddMilliseconds(-m.Item2), $"{Workflows[m.Item3]}",
                user: $"U{m.Item5}")).ToList();
            await panel.SeedAsync(executions);
            var filter = new ExecutionFilter(
                state < 0 ? null : ExecutionStates.All[state + 5], workflow < 0 ? null : Workflows[workflow], user < 0 ? null : $"U{user}",
                since < 0 ? null : panel.Now.AddMilliseconds(-since));

            var found = new List<Execution>();
            ExecutionCursor? after = null;
            var pages = 0;
            do
            {
                var page = await latest.FindAsync(tenants, filter, after, size, Cancel);
                Assert.True(page.Next is null || page.Executions.Count == size);
                found.AddRange(page.Executions);
                after = page.Next is { } next && ExecutionCursor.TryParse($"{next}", out var read) ? read : null;
                Assert.Equal(page.Next, after);
            }
            while (after is not null && ++pages < 100);

            // What is of the very moment since which is asked may be there or not.
            var expected = executions.Where(e => (filter.State is null || e.State == filter.State) && (filter.Workflow is null || e.Workflow == filter.Workflow)
                && (filter.By is null || e.RequestedBy.IsCalled(filter.By)) && (filter.Since is null || e.CreatedAt > filter.Since));
            Assert.Equal(
                expected.OrderByDescending(e => e.CreatedAt).ThenBy(e => $"{e.Id}", StringComparer.Ordinal).Select(e => $"{e.Id}"),
                found.Where(e => filter.Since is null || e.CreatedAt > filter.Since).Select(e => $"{e.Id}"));
        }, iter: 50, threads: 1);
    }

    [Theory]
    [InlineData(""), InlineData("~"), InlineData("2026-11-22T12:00:00.000Z"), InlineData("2026-11-22T12:00:00.000Z~"), InlineData("~exec_0123456789abcdef0123456789abcdef")]
    [InlineData("2026-11-22T12:00:00.000Z~exec_0123456789abcdef0123456789abcdef~"), InlineData("2026-11-22~exec_0123456789abcdef0123456789abcdef"), InlineData(null)]
    public void What_is_no_end_of_a_page_is_none(string? text) => Assert.False(ExecutionCursor.TryParse(text, out _));
}

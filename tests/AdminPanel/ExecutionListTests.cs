using System.Text.RegularExpressions;
using ControlPlane.Administration;
using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>The list of executions, and what the pages weigh, where there are as many tenants as there can be.</summary>
public sealed partial class ExecutionListTests(ManyTenants many, LocalCloud cloud) : IClassFixture<ManyTenants>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_follow_each_other_across_all_tenants()
    {
        var jane = many.Panel.Operator();
        var (found, address) = (new List<string>(), "/executions");
        for (var page = 0; page < 3; page++)
        {
            var answer = await jane.GetAsync(address);
            found.AddRange(Listed(answer));
            address = Older(answer)!;
        }

        Assert.Equal(many.Executions.Take(150).Select(one => $"{one.Id}"), found);
    }

    [Theory]
    [InlineData("state=FAILED"), InlineData("workflow=forecast"), InlineData("by=U7"), InlineData("by=T0007/U7"), InlineData("tenant=tenant-9"), InlineData("since=1h")]
    [InlineData("state=RUNNING&workflow=report&by=U16&since=24h&tenant=tenant-113")]
    public async Task The_list_is_filtered_and_its_filter_goes_on_with_it(string filter)
    {
        var asked = filter.Split('&').Select(one => one.Split('=')).ToDictionary(one => one[0], one => one[1]);
        var expected = many.Executions.Where(one =>
            (!asked.TryGetValue("state", out var state) || one.State.Name == state) && (!asked.TryGetValue("workflow", out var workflow) || $"{one.Workflow}" == workflow)
            && (!asked.TryGetValue("by", out var by) || one.RequestedBy.IsCalled(by)) && (!asked.TryGetValue("tenant", out var tenant) || $"{one.Tenant}" == tenant)
            && (!asked.TryGetValue("since", out var since) || one.CreatedAt > many.Panel.Now.AddHours(since == "1h" ? -1 : -24)))
            .Select(one => $"{one.Id}").ToList();
        Assert.NotEmpty(expected);
        var jane = many.Panel.Operator();

        var first = await jane.GetAsync($"/executions?{filter}");
        var found = Listed(first).ToList();
        if (Older(first) is { } older)
            found.AddRange(Listed(await jane.GetAsync(older)));

        Assert.Equal(expected.Take(100), found);
    }

    [Fact]
    public async Task An_execution_is_found_by_its_whole_id_and_by_its_first_digits()
    {
        var wanted = many.Executions[5000].Id;
        var jane = many.Panel.Operator();

        foreach (var typed in new[] { $"{wanted}", wanted.Digits, wanted.Short, wanted.Digits[..12], $"exec_{wanted.Short}", wanted.Short.ToUpperInvariant(), $"{wanted.Short}…", $"%20{wanted.Short}%20" })
            Assert.Equal((typed, $"/executions/{wanted}"), (typed, (await jane.GetAsync($"/executions?id={typed}")).Location));
        Assert.Equal(200, (await jane.GetAsync($"/executions/{wanted}")).Status);
        var unknown = await jane.GetAsync("/executions?id=00000000");
        Assert.Equal(404, unknown.Status);
        Assert.Contains("No execution begins so", unknown.Words, StringComparison.Ordinal);
        Assert.Equal(404, (await jane.GetAsync($"/executions/exec_{new string('0', 32)}")).Status);
    }

    [Fact]
    public async Task Digits_with_which_several_begin_list_them_all()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        var other = Tenants.TenantId.Parse("tenant-8");
        await panel.RegisterAsync(other);
        ExecutionId[] alike = [.. Enumerable.Range(0, 3).Select(i => ExecutionId.Parse($"exec_01234567{i}9abcdef0123456789abcdef"))];
        await panel.SeedAsync(alike.Select((id, i) => PanelFixture.Execution(id, i == 0 ? other : PanelFixture.Seven, ExecutionState.Running, panel.Now)));
        var jane = panel.Operator();

        Assert.Equal(alike.Select(id => $"{id}"), Listed(await jane.GetAsync("/executions?id=01234567")).Order());
        Assert.Equal($"/executions/{alike[0]}", (await jane.GetAsync("/executions?id=01234567&tenant=tenant-8")).Location);
        Assert.Equal($"/executions/{alike[2]}", (await jane.GetAsync("/executions?id=012345672")).Location);
    }

    [Theory]
    [InlineData("/"), InlineData("/executions"), InlineData("/executions?state=SUCCEEDED"), InlineData("/tenants"), InlineData("/tenants/tenant-7"), InlineData("/usage"), InlineData("/usage.csv")]
    [InlineData("/dead-letters"), InlineData("/audit"), InlineData("/tenants/tenant-7/usage")]
    public async Task No_page_weighs_more_than_60_kB(string address)
    {
        var answer = await many.Panel.Operator().GetAsync(address);

        Assert.Equal(200, answer.Status);
        TestContext.Current.SendDiagnosticMessage($"{address}: {answer.Sent.Length} bytes of {answer.Text.Length}");
        Assert.InRange(answer.Sent.Length, 1, 60_000);
    }

    [Fact]
    public async Task The_list_is_read_by_index_and_costs_what_it_shows()
    {
        var before = many.Panel.Seam.Capacity.Count;

        await many.Panel.Operator().GetAsync("/executions");

        var costs = many.Panel.Seam.Capacity.Skip(before).ToList();
        Assert.DoesNotContain(costs, one => one.Operation == "Scan");
        TestContext.Current.SendDiagnosticMessage($"/executions: {costs.Sum(one => one.Units)} read units in {costs.Count} calls");
        // A query for each tenant that reads a page of its index, and the executions themselves.
        Assert.True(costs.Sum(one => one.Units) < 2 * 156 + 50 + 20, $"{costs.Sum(one => one.Units)}");
    }

    private static IEnumerable<string> Listed(Answer answer) => Row().Matches(answer.Text).Select(one => one.Groups[1].Value);

    private static string? Older(Answer answer) =>
        System.Net.WebUtility.HtmlDecode(Next().Match(answer.Text).Groups[1].Value) is { Length: > 0 } next ? next : null;

    [GeneratedRegex("<th scope=\"row\"><a href=\"/executions/(exec_[0-9a-f]{32})\">")]
    private static partial Regex Row();

    [GeneratedRegex("<a rel=\"next\" href=\"([^\"]+)\">")]
    private static partial Regex Next();
}

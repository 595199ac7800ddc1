using System.Globalization;
using System.Text.RegularExpressions;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.AdminPanel;

public sealed partial class AuditListTests(LocalCloud cloud)
{
    /// <summary>More than two pages, nearly all of one millisecond, as a tenant's end may leave them.</summary>
    private const int Count = 250;

    [Theory]
    [InlineData("/audit"), InlineData("/audit?tenant=tenant-7"), InlineData("/audit?actor=oidc:jane"), InlineData("/audit?tenant=tenant-7&actor=oidc:jane")]
    public async Task Pages_follow_each_other_though_all_records_are_of_one_moment(string address)
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        var at = panel.Now.AddMinutes(-1);
        var records = Enumerable.Range(0, Count).Select(i => new AuditEntry(
            i < 5 ? at.AddDays(-1) : at, i.ToString("x12", CultureInfo.InvariantCulture), Actor.Parse("oidc:jane"), null, "execution.cancel", PanelFixture.Seven,
            $"target-{i}", [], "request-1")).ToList();
        await FullHub.WriteAsync(panel.Tables.Client, panel.Tables.Audit, records.Select(AuditTrail.Of), TestContext.Current.CancellationToken);

        var (found, pages, next) = (new List<string>(), 0, $"{address}{(address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}since=168h");
        while (next is not null && pages++ < 5)
        {
            var page = (await panel.Viewer().GetAsync(next)).Text;
            found.AddRange(Target().Matches(page).Select(one => one.Groups[1].Value));
            next = Next().Match(page) is { Success: true, Groups: var groups } ? System.Net.WebUtility.HtmlDecode(groups[1].Value) : null;
        }

        Assert.Equal(3, pages);
        Assert.Equal(records.OrderByDescending(one => one.At).ThenByDescending(one => one.Id, StringComparer.Ordinal).Select(one => one.Target), found);
    }

    [GeneratedRegex("<code>(target-[0-9]+)</code>")]
    private static partial Regex Target();

    [GeneratedRegex("<a rel=\"next\" href=\"([^\"]+)\">")]
    private static partial Regex Next();
}

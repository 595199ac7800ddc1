using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ControlPlane.AdminPanel.Look;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>What stands on the pages, whatever there is to show.</summary>
public sealed partial class PageTests(LocalCloud cloud)
{
    private static readonly ExecutionId Failed = ExecutionId.Of("T0007", "failed");

    private static readonly string[] Pages =
    [
        "/", "/executions", $"/executions/{Failed}", "/tenants", "/tenants/tenant-7", "/tenants/tenant-7/usage", "/tenants/tenant-7/usage?days=30",
        "/tenants/tenant-7/instances/i-1", "/usage", "/dead-letters", "/audit", "/audit?since=9600h",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/", "No tenant yet", "None yet", "Nothing: every data plane"), InlineData("/executions", "None that fit."), InlineData("/tenants", "./ctl tenant onboard")]
    [InlineData("/usage", "No tenant yet."), InlineData("/dead-letters", "None."), InlineData("/audit", "Nobody changed anything")]
    public async Task A_page_that_has_nothing_to_show_says_what_to_do_next(string address, params string[] words)
    {
        await using var panel = await PanelFixture.StartEmptyAsync(cloud);
        await panel.CountAsync();

        var answer = await panel.Viewer().GetAsync(address);

        Assert.Equal(200, answer.Status);
        IsGuarded(answer);
        Assert.All(words, word => Assert.Contains(word, answer.Words, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_tenant_of_which_nothing_is_known_has_its_pages_too()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        var jane = panel.Operator();

        foreach (var address in (string[])["/", "/tenants/tenant-7", "/tenants/tenant-7/usage", "/tenants/tenant-7/usage?days=7", "/usage", "/usage.csv"])
            Assert.Equal((address, 200), (address, (await jane.GetAsync(address)).Status));

        var tenant = (await jane.GetAsync("/tenants/tenant-7")).Words;
        Assert.All(["None has reported.", "No workspace speaks for this tenant.", "Invite a machine", "Publish a workflow"], word => Assert.Contains(word, tenant, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/nothing"), InlineData("/tenants/tenant-8"), InlineData("/tenants/tenant-0"), InlineData("/tenants/tenant-7/instances/i-9"), InlineData("/executions/exec_1")]
    [InlineData("/tenants//"), InlineData("/tenants/%2e%2e"), InlineData("/tenants/tenant-7%0a"), InlineData("/tenants/%ff"), InlineData("/assets/../panel.css")]
    [InlineData("/assets/nothing.js"), InlineData("/%3Cscript%3Ealert(1)%3C/script%3E"), InlineData("/executions?state=LOST"), InlineData("/executions?tenant=tenant-0")]
    [InlineData("/executions?workflow=a%20b"), InlineData("/executions?since=soon"), InlineData("/executions?since=0s"), InlineData("/executions?id=12345678"), InlineData("/executions?id=x")]
    public async Task What_is_not_there_is_said_so_and_quoted_nowhere(string address)
    {
        await using var panel = await PanelFixture.StartAsync(cloud);

        var answer = await panel.Operator().GetAsync(address);

        Assert.Equal(404, answer.Status);
        IsGuarded(answer);
        Assert.DoesNotContain("<script>", answer.Text, StringComparison.Ordinal);
        Assert.Single(panel.Log);
    }

    [Theory]
    [InlineData("/executions?after=2026-11-22T12:00:00.000Z~exec_0123456789abcdef0123456789abcdef"), InlineData("/executions?after=nonsense"), InlineData("/executions?since=999999h")]
    [InlineData("/executions?since=1h&after=2026-11-01T12:00:00.000Z~exec_0123456789abcdef0123456789abcdef")]
    [InlineData("/executions?after=0001-01-01T00:00:00.000Z~exec_0123456789abcdef0123456789abcdef")]
    [InlineData("/executions?after=9999-12-31T23:59:59.999Z~exec_0123456789abcdef0123456789abcdef"), InlineData("/executions?state=&tenant=&state=RUNNING")]
    [InlineData("/audit?after=2020-01-01T00:00:00.000Z~0123456789ab"), InlineData("/audit?tenant=tenant-7&after=2020-01-01T00:00:00.000Z~0123456789ab"), InlineData("/audit?actor=oidc:x&after=0001-01-01T00:00:00.000Z~00"), InlineData("/audit?after=9999-12-31T23:59:59.999Z~x~y"), InlineData("/audit?after=9999-12-31T23:59:59.999Z~00")]
    [InlineData("/audit?tenant=tenant-0"), InlineData("/audit?actor=%00"), InlineData("/audit?since=1000000h"), InlineData("/usage?month=2026-13"), InlineData("/usage?month=0001-01")]
    [InlineData("/usage.csv?month=9999-12"), InlineData("/tenants/tenant-7/usage?days=999999999999"), InlineData("/?done=%3Cscript%3E"), InlineData("/?%ff=%ff&a=%&=&&")]
    public async Task Whatever_stands_behind_the_question_mark_a_page_is_answered(string address)
    {
        await using var panel = await PanelFixture.StartAsync(cloud);

        var answer = await panel.Operator().GetAsync(address);

        Assert.True(answer.Status == 200, $"{answer.Status} {panel.LogText}");
        Assert.DoesNotContain("<script>", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Assets_are_kept_by_their_version_and_nothing_else_is()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        var jane = panel.Operator();
        var page = await jane.GetAsync("/tenants");

        foreach (var (name, type) in new[] { ("panel.css", "text/css; charset=utf-8"), ("panel.js", "text/javascript; charset=utf-8") })
        {
            var address = Regex.Match(page.Text, $"\"(/assets/{Regex.Escape(name)}\\?v=[0-9a-f]{{12}})\"").Groups[1].Value;
            var asset = await jane.GetAsync(address);
            Assert.Equal((200, type, "private, max-age=31536000, immutable", "nosniff"), (asset.Status, asset.Header("Content-Type"), asset.Header("Cache-Control"), asset.Header("X-Content-Type-Options")));
            Assert.NotEmpty(asset.Text);
        }
        Assert.DoesNotContain("style=", page.Text, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script(?! src=\"/assets/)", page.Text);
    }

    [Theory]
    [InlineData("gzip, deflate, br", true), InlineData("GZIP", true), InlineData("gzip;q=0.5", true)]
    [InlineData(null, false), InlineData("br", false), InlineData("identity", false), InlineData("gzip;q=0", false), InlineData("gzip; q=0.0, br", false)]
    public async Task A_page_is_packed_for_whoever_takes_that(string? accepted, bool packed)
    {
        await using var panel = await PanelFixture.StartAsync(cloud);

        var answer = await panel.Operator().GetAsync("/tenants/tenant-7", headers =>
        {
            headers.Remove("accept-encoding");
            if (accepted is not null)
                headers["accept-encoding"] = [accepted];
        });

        Assert.Equal(packed ? "gzip" : null, answer.Header("Content-Encoding"));
        Assert.Equal("Accept-Encoding", answer.Header("Vary"));
        Assert.Contains("</html>", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_option_is_chosen_only_where_it_is_the_one()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);

        var page = (await panel.Viewer().GetAsync("/executions?state=FAILED&tenant=tenant-7")).Text;

        Assert.Equal(["tenant-7", "FAILED"], Regex.Matches(page, "<option[^>]* selected[^>]*>([^<]*)<").Select(one => one.Groups[1].Value));
        Assert.Equal("Executions", Assert.Single(Regex.Matches(page, "<a[^>]* aria-current=\"page\"[^>]*>([^<]*)<")).Groups[1].Value);
    }

    [Fact]
    public async Task A_viewer_is_shown_no_form_that_they_may_not_post()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        await FillAsync(panel, "harmless");
        var (vera, jane) = (panel.Viewer(), panel.Operator());

        foreach (var page in Pages)
        {
            var (seen, changed) = ((await vera.GetAsync(page)).Text, (await jane.GetAsync(page)).Text);
            Assert.DoesNotContain("method=\"post\"", seen, StringComparison.Ordinal);
            Assert.DoesNotContain("name=\"token\"", seen, StringComparison.Ordinal);
            Assert.Equal(Regex.Count(changed, "method=\"post\""), Regex.Count(changed, "name=\"token\" value=\"[A-Za-z0-9_-]{43}\""));
        }
    }

    public static TheoryData<string> HostileTexts =>
    [
        "<script>alert(1)</script>", "</script><script>alert(1)</script>", "\" autofocus onfocus=\"alert(1)", "' onmouseover='alert(1)", "--></textarea></pre></svg><img src=x onerror=alert(1)>",
        "&lt;b&gt;&#60;b&#62;", "javascript:alert(1)", "`${alert(1)}`", "\u202Egnp.exe\u202C", "a\u200B\u200D\uFEFFb\u2028c\u2029d", "\u0000\u0007\u001B[31m", "\uD83D\uDE00 \u05E9\u05DC\u05D5\u05DD",
    ];

    [Theory, MemberData(nameof(HostileTexts))]
    [Trait("Length", "long")]
    public Task No_text_becomes_markup_or_turns_the_line_around(string text) => HoldsAsync(text);

    [Fact]
    [Trait("Length", "long")]
    public Task Nor_does_a_text_of_100_kB() => HoldsAsync(string.Concat(Enumerable.Repeat("<i>\u202E\"'&", 100 * 1024 / 11)));

    private async Task HoldsAsync(string text)
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        await FillAsync(panel, "harmless");
        var jane = panel.Operator();
        var harmless = new Dictionary<string, Answer>();
        foreach (var page in Pages)
            harmless[page] = await jane.GetAsync(page);
        Assert.All(harmless, one => Assert.True(one.Value.Status == 200, $"{one.Key}: {one.Value.Status} {panel.LogText}"));
        Assert.Contains("harmless", harmless[$"/executions/{Failed}"].Words, StringComparison.Ordinal);

        await FillAsync(panel, text);
        foreach (var page in Pages)
        {
            var answer = await jane.GetAsync(page);
            Assert.True(answer.Status == 200, $"{page}: {answer.Status} {panel.LogText[^Math.Min(2000, panel.LogText.Length)..]}");
            IsGuarded(answer);
            Assert.Equal(harmless[page].Skeleton, answer.Skeleton);
            Assert.DoesNotMatch(Unseen(), System.Net.WebUtility.HtmlDecode(answer.Text));
            Assert.True(answer.Sent.Length <= 60_000, $"{page} weighs {answer.Sent.Length}.");
            Assert.True(answer.Text.Length < 500_000, $"{page} has {answer.Text.Length} characters.");       // a load balancer takes 1 MB of a function
        }

        var seldom = await panel.Operator(text.Length > 200 ? text[..200] : text, text.Length > 1000 ? text[..1000] : text).GetAsync("/tenants");
        Assert.Equal(harmless["/tenants"].Skeleton, seldom.Skeleton);
        Assert.DoesNotMatch(Unseen(), System.Net.WebUtility.HtmlDecode(seldom.Text));
    }

    [Fact]
    public async Task An_execution_tells_its_whole_life()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        await FillAsync(panel, "the words");

        var page = (await panel.Operator().GetAsync($"/executions/{Failed}")).Words;

        Assert.All(
            ["requested", "by U0001 in C0001 of T0007", "decided", "attempt 1", "12 ms, HTTP 403: the words", "taken", "running", "boom: the words", "in Slack", "tenant_active",
                "the words", "CPU 1s", $"{Failed.TraceId}"],
            words => Assert.Contains(words, page, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_instance_whose_gauges_are_of_other_types_is_shown_without_them()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        await FillAsync(panel, "harmless");
        var minute = 1;
        foreach (var metrics in (string[])["[]", """{"cpu":7}""", """{"cpu":{"utilization_pct":"full"}}""", """{"cpu":{"utilization_pct":1e999}}""", """{"cpu":{"utilization_pct":-5}}"""])
            await SampleAsync(panel, metrics, minute++);

        Assert.Equal(200, (await panel.Viewer().GetAsync("/tenants/tenant-7/instances/i-1")).Status);
    }

    [Fact]
    public async Task Usage_is_downloaded_as_the_page_shows_it()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        await panel.QueueAsync();

        var file = await panel.Viewer().GetAsync("/usage.csv?month=2026-11");

        Assert.Equal(("text/csv; charset=utf-8", "attachment; filename=\"usage-2026-11.csv\""), (file.Header("Content-Type"), file.Header("Content-Disposition")));
        IsGuarded(file);
        Assert.Equal(
            "month,tenant,used,reserved,cpu_ms,gpu_ms,reported_cpu_ms,reported_gpu_ms,input_tokens,output_tokens\r\n2026-11,tenant-7,0,1,0,0,0,0,0,0\r\n", file.Text);
    }

    [Fact]
    public void Times_are_relative_and_exact_on_hover()
    {
        var now = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        string Told(DateTimeOffset? at) => Text(HtmlText.Time(at, now));

        Assert.Equal("""<time datetime="2026-11-22T11:59:18.000Z" title="2026-11-22T11:59:18.000Z">42 s ago</time>""", Told(now.AddSeconds(-42)));
        Assert.Contains(">now<", Told(now), StringComparison.Ordinal);
        Assert.Contains(">in 3 min<", Told(now.AddMinutes(3)), StringComparison.Ordinal);
        Assert.Contains(">47 h ago<", Told(now.AddHours(-47)), StringComparison.Ordinal);
        Assert.Contains(">90 d ago<", Told(now.AddDays(-90)), StringComparison.Ordinal);
        Assert.Contains("–", Told(null), StringComparison.Ordinal);
    }

    /// <summary>Nothing of it is kept, framed, guessed or sent on, and nothing runs in it but the panel's own script.</summary>
    internal static void IsGuarded(Answer answer)
    {
        Assert.Equal(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            answer.Header("Content-Security-Policy"));
        Assert.Equal(("no-store", "no-referrer", "nosniff"), (answer.Header("Cache-Control"), answer.Header("Referrer-Policy"), answer.Header("X-Content-Type-Options")));
    }

    /// <summary>Everything that somebody else may write, in their words: put again, with other words, it is the same things.</summary>
    private static async Task FillAsync(PanelFixture panel, string text)
    {
        var at = panel.Now.AddMinutes(-10);
        var tables = panel.Tables;
        await panel.RegisterAsync(PanelFixture.Seven, text);
        var city = new WorkflowParameter(
            "city", ParameterType.String, Default: JsonElement.Parse(JsonValue.Create(Cut(900)).ToJsonString()), Description: Cut(900));
        await panel.Registry.SaveAsync(PanelFixture.Seven, PanelFixture.Workflow("report", city), Cancel);

        var execution = PanelFixture.Execution(
            Failed, PanelFixture.Seven, ExecutionState.Failed, at,
            inputs: new JsonObject { ["city"] = Cut(10_000), [Cut(100)] = 1 }.ToJsonString()) with
        { Decision = new(true, "allowed", Cut(5000), [new("tenant active", Judgement.Allow, "tenant_active", Cut(5000))]) };
        var item = ExecutionItems.Of(execution, null);
        var attempt = new DispatchAttempt(1, at, 12, AttemptResult.Parse("again"), 403, Cut(5000));
        item["attempts"] = new() { L = [Items.Text(JsonSerializer.Serialize(attempt, DomainJson.Default.DispatchAttempt))] };
        item["dispatched_at"] = Items.Time(at.AddSeconds(1));
        item["started_at"] = Items.Time(at.AddSeconds(2));
        item["progress"] = Items.Text(Cut(5000));
        item["outcome"] = Items.Json(
            new Outcome(
                OutcomeStatus.Failed, at, at, Cut(5000), new(1200, 0, 5, 6), new(Cut(20_000), Cut(3000)), new("boom", Cut(5000))),
            DomainJson.Default.Outcome);
        await tables.Client.PutItemAsync(tables.Executions, item, Cancel);

        var record = AuditTrail.Of(new(
            at, "0123456789ab", Actor.Parse("oidc:jane"), text, "tenant.rename", PanelFixture.Seven, text,
            [AuditedValue.Of("name", text, text), AuditedValue.Of("x", null, text), AuditedValue.Of("y", text, null)],
            "request-0"));
        await tables.Client.PutItemAsync(tables.Audit, record, Cancel);

        await SampleAsync(panel, new JsonObject { ["cpu"] = new JsonObject { ["utilization_pct"] = 42 }, ["host"] = Cut(8_000) }.ToJsonString(), 0);
        await tables.Client.PutItemAsync(
            tables.Instances,
            InstanceItems.Of(new InstanceState
            {
                Tenant = PanelFixture.Seven,
                Instance = InstanceId.Parse("i-1"),
                Epoch = 1,
                Counter = 1,
                BodyHash = "00",
                Base = ComputeTime.Zero,
                Totals = new(1000, 2000),
                Month = Month.Of(panel.Now),
                AtMonthStart = ComputeTime.Zero,
                SampledAt = at,
                LastSeen = at,
                FirstSeen = at,
            }),
            Cancel);
        foreach (var queue in (string[])["DispatchDeadLetters", "NotificationsDeadLetters"])
        {
            await panel.Queues.TakeAllAsync(panel.Queues.Urls[queue], Cancel);
            var body = queue[0] == 'D' ? JsonValue.Create(Cut(60_000)).ToJsonString()
                : new JsonObject { ["execution_id"] = Cut(60_000), ["tenant_id"] = Cut(60_000) }.ToJsonString();
            await panel.Queues.Client.SendMessageAsync(new() { QueueUrl = panel.Queues.Urls[queue], MessageBody = body }, Cancel);
        }

        // What its own door would have cut.
        string Cut(int most) => text[..Math.Min(text.Length, most)];
    }

    private static Task SampleAsync(PanelFixture panel, string metrics, int minute) =>
        new MeteringStore(panel.Tables.Client, panel.Tables.Metering, panel.Clock).PutAsync(
            new(
                PanelFixture.Seven, InstanceId.Parse("i-1"), 1, 1 + minute, panel.Now.AddMinutes(minute - 10), TimeSpan.FromSeconds(60), new(1000, 2000), metrics,
                KeyIds.Of("k")),
            Cancel);

    private static string Text(Microsoft.AspNetCore.Html.IHtmlContent html)
    {
        using var writer = new StringWriter();
        html.WriteTo(writer, HtmlText.Encoder);
        return writer.ToString();
    }

    // Marks of direction and joiners, what ends a line where nobody sees it, and control characters.
    [GeneratedRegex("[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]")]
    private static partial Regex Unseen();
}

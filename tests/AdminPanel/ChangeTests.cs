using System.Text.Json;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>Every form changes what it says, with one record of who did it; and nobody changes anything who may not, or did not mean to.</summary>
public sealed class ChangeTests(LocalCloud cloud)
{
    private static readonly KeyId Key = KeyIds.Of("k");

    private static readonly OneTimeCode Invitation = OneTimeCode.Make(), Ticket = OneTimeCode.Make();

    private static readonly ExecutionId Open = ExecutionId.Of("T0007", "t1");

    /// <summary>What is posted, in an order in which each has something to change; and the records that it leaves.</summary>
    private static readonly (string Address, (string Name, string Value)[] Fields, string[] Actions)[] Forms =
    [
        ("/tenants/tenant-7/limits", [("quota", "500"), ("concurrency", "3"), ("gpu", "100h"), ("instances", "5"), ("silent", "deny")], ["tenant.limits"]),
        ("/tenants/tenant-7/suspend", [], ["tenant.suspend"]),
        ("/tenants/tenant-7/resume", [], ["tenant.resume"]),
        ("/tenants/tenant-7/key-invite", [("instance", "i-1")], ["key.invite"]),
        ("/tenants/tenant-7/key-withdraw", [("invitation", OneTimeCode.IdOf(Invitation.Hash))], ["key.withdraw"]),
        ("/tenants/tenant-7/key-revoke", [("key", $"{Key}")], ["key.revoke"]),
        ("/tenants/tenant-7/slack-invite", [], ["slack.invite"]),
        ("/tenants/tenant-7/slack-withdraw", [("invitation", OneTimeCode.IdOf(Ticket.Hash))], ["slack.revoke"]),
        ("/tenants/tenant-7/publish",
            [("workflow", "forecast"), ("path", "fc-2"), ("parameters", "city:string:required\r\ndays:integer:min=1"), ("deadline", "90m"), ("idempotent", "yes")],
            ["workflow.publish"]),
        ("/tenants/tenant-7/workflow-disable", [("workflow", "report")], ["workflow.disable"]),
        ("/tenants/tenant-7/workflow-enable", [("workflow", "report")], ["workflow.publish"]),
        ("/tenants/tenant-7/schedule-pause", [("schedule", $"{ScheduleId.Of("T0001", "schedule")}")], ["schedule.pause"]),
        ("/tenants/tenant-7/schedule-resume", [("schedule", $"{ScheduleId.Of("T0001", "schedule")}")], ["schedule.resume"]),
        ("/tenants/tenant-7/schedule-remove", [("schedule", $"{ScheduleId.Of("T0001", "schedule")}")], ["schedule.remove"]),
        ($"/executions/{Open}/again", [("key", "once")], ["execution.start"]),
        ($"/executions/{Open}/cancel", [], ["execution.cancel"]),
        ("/dead-letters/dispatch/redrive", [], ["dlq.redrive"]),
        ("/tenants/tenant-7/remove", [("name", "tenant-7")], ["catalogue.clear", "execution.cancel", "tenant.remove"]),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_form_changes_what_it_says_and_leaves_one_record_of_who_did_it()
    {
        await using var panel = await FilledAsync();
        var jane = panel.Operator();

        foreach (var (address, fields, actions) in Forms)
        {
            var known = (await panel.AuditAsync()).Select(one => one.Id).ToHashSet();
            var answer = await jane.PostAsync(address, fields);
            Assert.True(answer.Status is 200 or 303, $"{address}: {answer.Status} {answer.Words}");
            Assert.False(answer.Location?.EndsWith("unchanged", StringComparison.Ordinal) == true, address);
            PageTests.IsGuarded(answer);
            var records = (await panel.AuditAsync()).Where(one => !known.Contains(one.Id)).ToList();
            Assert.True(actions.SequenceEqual(records.Select(one => one.Action).Order()), $"{address}: {string.Join(", ", records.Select(one => one.Action))}");
            Assert.All(records, one => Assert.Equal(
                (Actor.Parse("oidc:jane"), "jane@example.com", "request-1"), (one.Actor, one.Mail!, one.RequestId)));
            await ChangedAsync(panel, address, answer);
            if (answer.Location is { } next)
            {
                var page = await jane.GetAsync(next);
                Assert.True(page.Status == 200 && (page.Text.Contains("role=\"status\"", StringComparison.Ordinal) || next.Contains("/ordered/", StringComparison.Ordinal)), next);
            }
        }
    }

    private static async Task ChangedAsync(PanelFixture panel, string address, Answer answer)
    {
        var tenant = (await panel.Registry.FindAsync(PanelFixture.Seven, Cancel))!;
        var catalogue = (await panel.Registry.CatalogueAsync(PanelFixture.Seven, Cancel))!;
        var schedules = await Schedules(panel).OfTenantAsync(PanelFixture.Seven, Cancel);
        switch (address.Split('/')[^1])
        {
            case "limits":
                Assert.Equal(new TenantLimits(500, 3, 360_000_000, 5, DeniesWhenSilent: true), tenant.Limits);
                break;
            case "suspend":
                Assert.Equal(TenantStatus.Suspended, tenant.Status);
                break;
            case "resume":
                Assert.Equal(TenantStatus.Active, tenant.Status);
                break;
            case "key-invite":
                var invite = Assert.Single(await Enrolments(panel).OfAsync(PanelFixture.Seven, Cancel), one => one.Instance is not null);
                Assert.Equal(("i-1", panel.Now.AddHours(1)), ($"{invite.Instance}", invite.ExpiresAt));
                Assert.Contains("--enrol", answer.Words, StringComparison.Ordinal);
                Assert.Contains("It is not shown again.", answer.Words, StringComparison.Ordinal);
                break;
            case "key-withdraw":
                Assert.DoesNotContain(await Enrolments(panel).OfAsync(PanelFixture.Seven, Cancel), one => one.Hash == Invitation.Hash);
                break;
            case "key-revoke":
                Assert.Equal(panel.Now, (await panel.Registry.FindKeyAsync(Key, Cancel))!.RevokedAt);
                break;
            case "slack-invite":
                var link = System.Text.RegularExpressions.Regex.Match(answer.Text, "data-copy=\"https://api.example.com/slack/install/([^\"]+)\"").Groups[1].Value;
                Assert.True(OneTimeCode.TryParse(link, out var code), answer.Text);
                Assert.Equal(PanelFixture.Seven, (await Installations(panel).FindTicketAsync(code.Hash, Cancel))!.Tenant);
                break;
            case "slack-withdraw":
                Assert.DoesNotContain(await Installations(panel).TicketsOfAsync(PanelFixture.Seven, Cancel), one => one.Hash == Ticket.Hash);
                break;
            case "publish":
                var forecast = catalogue.Workflows.Single(one => one.Name.ToString() == "forecast");
                Assert.Equal(("fc-2", "city,days", 90.0, true, true), (
                    $"{forecast.Path}", string.Join(',', forecast.Parameters.Select(one => one.Name)), forecast.Deadline.TotalMinutes, forecast.Idempotent,
                    forecast.Enabled));
                break;
            case "workflow-disable" or "workflow-enable":
                Assert.Equal(address.EndsWith("enable", StringComparison.Ordinal), catalogue.Workflows.Single(one => one.Name.ToString() == "report").Enabled);
                break;
            case "schedule-pause":
                Assert.Equal(panel.Now, Assert.Single(schedules).PausedAt);
                break;
            case "schedule-resume":
                // Tomorrow's, of one that is due at eight each day.
                Assert.Equal((null, true), (Assert.Single(schedules).PausedAt, Assert.Single(schedules).NextAt > panel.Now));
                break;
            case "schedule-remove":
                Assert.Empty(schedules);
                break;
            case "again":
                Assert.Contains("\"oidc:jane\"", Assert.Single(await panel.Queues.TakeAllAsync(panel.Queues.ExecutionRequests, Cancel)).Body, StringComparison.Ordinal);
                break;
            case "cancel":
                var ended = (await panel.Executions.FindAsync(Open, Cancel))!;
                Assert.Equal((ExecutionState.Cancelled, "oidc:jane"), (ended.State, ended.CancelledBy));
                Assert.Contains($"{Open}", Assert.Single(await panel.Queues.TakeAllAsync(panel.Queues.Notifications, Cancel)).Body, StringComparison.Ordinal);
                break;
            case "redrive":
                Assert.Equal("given up", Assert.Single(await panel.Queues.TakeAllAsync(panel.Queues.Dispatch, Cancel)).Body);
                Assert.Empty(await panel.Queues.TakeAllAsync(panel.Queues.Urls["DispatchDeadLetters"], Cancel));
                break;
            case "remove":
                Assert.Equal(TenantStatus.Deleting, tenant.Status);
                Assert.Empty(catalogue.Workflows);
                break;
            default:
                Assert.Fail($"Nothing here looks at {address}.");
                break;
        }
    }

    public static TheoryData<string, string> Forgeries => new()
    {
        { "a viewer", "viewer" },
        { "no token", "forgery" },
        { "another's token", "forgery" },
        { "a token of the same name at another provider", "forgery" },
        { "another browser's cookie", "forgery" },
        { "no cookie", "forgery" },
        { "two cookies", "forgery" },
        { "a token that is there twice", "forgery" },
        { "cross-site", "forgery" },
        { "same-site", "forgery" },
        { "typed address", "forgery" },
        { "no Sec-Fetch-Site", "forgery" },
        { "Sec-Fetch-Site twice", "forgery" },
        { "text/plain", "forgery" },
        { "multipart", "forgery" },
        { "no content type", "forgery" },
    };

    [Theory, MemberData(nameof(Forgeries))]
    public async Task Whoever_may_not_or_did_not_mean_to_changes_nothing(string how, string why)
    {
        await using var panel = await FilledAsync();
        var (jane, joan, vera) = (panel.Operator(), panel.Operator("joan"), panel.Viewer());
        await jane.GetAsync("/tenants/tenant-7");
        await joan.GetAsync("/tenants/tenant-7");
        await vera.GetAsync("/tenants/tenant-7");
        Assert.Null(vera.Token);
        var before = await panel.ContentAsync();

        foreach (var (address, fields, _) in Forms)
        {
            var lines = panel.Log.Count;
            var form = how switch
            {
                "a viewer" => vera.Form(address, fields, token: jane.Token),
                "no token" => jane.Form(address, fields, token: ""),
                "another's token" => jane.Form(address, fields, token: joan.Token),
                "a token of the same name at another provider" => jane.Form(address, fields, token: TokenElsewhere(jane)),
                "another browser's cookie" => jane.Form(address, fields, headers => headers["cookie"] = [joan.Cookie!]),
                "no cookie" => jane.Form(address, fields, headers => headers.Remove("cookie")),
                "two cookies" => jane.Form(address, fields, headers => headers["cookie"] = [$"{jane.Cookie}; {joan.Cookie}"]),
                "a token that is there twice" => jane.Form(address, [("token", jane.Token!), .. fields]),
                "cross-site" => jane.Form(address, fields, headers => headers["sec-fetch-site"] = ["cross-site"]),
                "same-site" => jane.Form(address, fields, headers => headers["sec-fetch-site"] = ["same-site"]),
                "typed address" => jane.Form(address, fields, headers => headers["sec-fetch-site"] = ["none"]),
                "no Sec-Fetch-Site" => jane.Form(address, fields, headers => headers.Remove("sec-fetch-site")),
                "Sec-Fetch-Site twice" => jane.Form(address, fields, headers => headers["sec-fetch-site"] = ["same-origin", "same-origin"]),
                "text/plain" => jane.Form(address, fields, headers => headers["content-type"] = ["text/plain"]),
                "multipart" => jane.Form(address, fields, headers => headers["content-type"] = ["multipart/form-data; boundary=a"]),
                "no content type" => jane.Form(address, fields, headers => headers.Remove("content-type")),
                _ => throw new ArgumentException(how, nameof(how)),
            };
            var answer = await panel.SendAsync(form);
            Assert.True(answer.Status == 403, $"{address}: {answer.Status}");
            PageTests.IsGuarded(answer);
            var line = Assert.Single(panel.Log.Skip(lines));
            Assert.Contains("panel_refused", line, StringComparison.Ordinal);
            Assert.Contains($"\"{why}\"", line, StringComparison.Ordinal);
        }
        Assert.Equal(before, await panel.ContentAsync());
    }

    [Fact]
    public async Task Looking_changes_nothing_whatever_the_address()
    {
        await using var panel = await FilledAsync();
        var jane = panel.Operator();
        await jane.GetAsync("/tenants/tenant-7");
        var before = await panel.ContentAsync();

        foreach (var (address, fields, _) in Forms)
        {
            var query = string.Join('&', fields.Append(("token", jane.Token!)).Select(one => $"{one.Item1}={Uri.EscapeDataString(one.Item2)}"));
            Assert.Equal(404, (await jane.GetAsync($"{address}?{query}", headers => headers["sec-fetch-site"] = ["same-origin"])).Status);
        }
        foreach (var address in (string[])["/", "/executions", $"/executions/{Open}", "/tenants", "/tenants/tenant-7", "/tenants/tenant-7/usage", "/usage", "/usage.csv", "/audit"])
            Assert.Equal((200, 200), ((await jane.GetAsync(address)).Status, (await jane.GetAsync(address, method: "HEAD")).Status));
        Assert.Equal((200, 200), ((await jane.GetAsync("/dead-letters")).Status, (await jane.GetAsync("/dead-letters")).Status));
        foreach (var method in (string[])["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "post", "get"])
            Assert.Equal(405, (await jane.GetAsync("/tenants/tenant-7/suspend", method: method)).Status);

        Assert.Equal(before, await panel.ContentAsync());
    }

    [Fact]
    public async Task What_is_so_already_or_cannot_be_is_said_and_not_written()
    {
        await using var panel = await FilledAsync();
        var jane = panel.Operator();
        await jane.PostAsync("/tenants/tenant-7/suspend");
        await jane.PostAsync("/tenants/tenant-7/schedule-pause", [("schedule", $"{ScheduleId.Of("T0001", "schedule")}")]);
        var before = await panel.ContentAsync();

        (string Action, (string, string)[] Fields)[] same =
        [
            ("suspend", []), ("limits", [("quota", "1000"), ("concurrency", "10"), ("instances", "200"), ("silent", "warn")]),
            ("workflow-enable", [("workflow", "report")]), ("schedule-pause", [("schedule", $"{ScheduleId.Of("T0001", "schedule")}")]),
        ];
        foreach (var (action, fields) in same)
            Assert.Equal((action, "/tenants/tenant-7?done=unchanged"), (action, (await jane.PostAsync($"/tenants/tenant-7/{action}", fields)).Location));

        (string Action, (string, string)[] Fields)[] wrong =
        [
            ("remove", []), ("remove", [("name", "tenant-8")]), ("remove", [("name", "TENANT-7")]),
            ("limits", [("quota", "-1"), ("concurrency", "1"), ("instances", "1")]), ("limits", [("quota", "1"), ("concurrency", "4294967297"), ("instances", "1")]),
            ("limits", [("quota", "1"), ("concurrency", "1"), ("instances", "0")]), ("limits", [("quota", "9223372036854775807"), ("concurrency", "1"), ("instances", "1")]),
            ("limits", [("quota", "1"), ("concurrency", "1"), ("instances", "1"), ("gpu", "a lot")]), ("limits", [("quota", "1")]),
            ("key-invite", [("instance", "../x")]), ("key-revoke", [("key", "k")]), ("key-revoke", [("key", $"{KeyIds.Of("other")}")]),
            ("key-withdraw", [("invitation", "000000000000")]), ("slack-withdraw", []), ("workflow-disable", [("workflow", "none")]),
            ("publish", [("workflow", "a b"), ("deadline", "60m")]), ("publish", [("workflow", "a"), ("deadline", "30s")]), ("publish", [("workflow", "a"), ("deadline", "25h")]),
            ("publish", [("workflow", "a"), ("deadline", "1h"), ("parameters", "city:text")]), ("publish", [("workflow", "a"), ("deadline", "1h"), ("path", "../x")]),
            ("publish", [("workflow", "a"), ("deadline", "1h"), ("parameters", "city:string\ncity:integer")]), ("schedule-remove", [("schedule", "sch_1")]),
        ];
        foreach (var (action, fields) in wrong)
            Assert.Equal((action, 409), (action, (await jane.PostAsync($"/tenants/tenant-7/{action}", fields)).Status));

        foreach (var address in (string[])["/tenants/tenant-8/suspend", "/tenants/tenant-0/suspend", "/tenants/tenant-7/unknown", "/executions/exec_1/cancel",
            $"/executions/{ExecutionId.Of("T", "none")}/cancel", $"/executions/{ExecutionId.Of("T", "none")}/again", "/dead-letters/sweeper/redrive", "/", "/tenants"])
            Assert.Equal((address, 404), (address, (await jane.PostAsync(address)).Status));
        Assert.Equal(413, (await panel.SendAsync(jane.Form("/tenants/tenant-7/resume", [("x", new string('x', 65 * 1024))]))).Status);
        // Refused by its length: whether it is base64 at all is not looked at.
        var garbage = jane.Form("/tenants/tenant-7/resume");
        garbage.Body = new string('%', 1024 * 1024);
        Assert.Equal(413, (await panel.SendAsync(garbage)).Status);

        Assert.Equal(before, await panel.ContentAsync());
    }

    [Fact]
    public async Task A_removed_tenant_is_changed_by_nothing_but_its_removal_again()
    {
        await using var panel = await FilledAsync();
        var jane = panel.Operator();
        await jane.PostAsync("/tenants/tenant-7/remove", [("name", "tenant-7")]);
        var before = await panel.ContentAsync();

        foreach (var (address, fields, _) in Forms.Where(form => form.Address.Split('/') is [_, "tenants", _, not "remove"]))
            Assert.Equal((address, 409), (address, (await jane.PostAsync(address, fields)).Status));
        Assert.Equal("/tenants/tenant-7?done=unchanged", (await jane.PostAsync("/tenants/tenant-7/remove", [("name", "tenant-7")])).Location);
        Assert.DoesNotContain("<form method=\"post\"", (await jane.GetAsync("/tenants/tenant-7")).Text, StringComparison.Ordinal);

        Assert.Equal(before, await panel.ContentAsync());
    }

    [Fact]
    public async Task An_order_that_is_sent_twice_is_one_execution_and_what_cannot_run_is_not_ordered()
    {
        await using var panel = await FilledAsync();
        var jane = panel.Operator();
        var page = await jane.GetAsync($"/executions/{Open}");
        var key = System.Text.RegularExpressions.Regex.Match(page.Text, "name=\"key\" value=\"([0-9a-f]{32})\"").Groups[1].Value;
        (string, string)[] form = [("key", key)];

        var (once, twice) = ((await jane.PostAsync($"/executions/{Open}/again", form)).Location!, (await jane.PostAsync($"/executions/{Open}/again", form)).Location!);

        Assert.Equal(once, twice);
        var order = JsonDocument.Parse(Assert.Single(await panel.Queues.TakeAllAsync(panel.Queues.ExecutionRequests, Cancel)).Body).RootElement;
        Assert.Equal(
            ($"/executions/ordered/{order.GetProperty("execution_id").GetString()}", "report", """{"city":"Ulm"}"""),
            (once, order.GetProperty("workflow").GetString(), order.GetProperty("inputs").GetRawText()));
        Assert.Contains("waits for policy", (await jane.GetAsync(once)).Words, StringComparison.Ordinal);
        await panel.SeedAsync([PanelFixture.Execution(ExecutionId.Parse(once.Split('/')[^1]), PanelFixture.Seven, ExecutionState.Queued, panel.Now)]);
        Assert.Equal($"/executions/{once.Split('/')[^1]}?done=ordered", (await jane.GetAsync(once)).Location);

        await jane.PostAsync("/tenants/tenant-7/workflow-disable", [("workflow", "report")]);
        Assert.Equal(409, (await jane.PostAsync($"/executions/{Open}/again", [("key", "other")])).Status);
        Assert.Equal(409, (await jane.PostAsync($"/executions/{Open}/again")).Status);
        await jane.PostAsync($"/executions/{Open}/cancel");
        Assert.EndsWith("unchanged", (await jane.PostAsync($"/executions/{Open}/cancel")).Location, StringComparison.Ordinal);
        Assert.Empty(await panel.Queues.TakeAllAsync(panel.Queues.ExecutionRequests, Cancel));
    }

    /// <summary>The token that the same cookie makes for somebody of that name whom another identity provider knows.</summary>
    private static string TokenElsewhere(Browser browser) => System.Buffers.Text.Base64Url.EncodeToString(System.Security.Cryptography.SHA256.HashData(
        System.Text.Encoding.UTF8.GetBytes($"{browser.Cookie!.Split('=')[1]}\nhttps://other.example.com/\njane")));

    /// <summary>With something in it for each of the forms.</summary>
    private async Task<PanelFixture> FilledAsync()
    {
        var panel = await PanelFixture.StartAsync(cloud);
        await panel.Registry.SaveAsync(PanelFixture.Seven, PanelFixture.Workflow("report", new WorkflowParameter("city", ParameterType.String)), Cancel);
        await panel.QueueAsync(inputs: """{"city":"Ulm"}""");
        await panel.QueueAsync("t2");
        var auditor = panel.Tables.Auditor;
        Assert.True(await panel.Registry.TryAddAsync(new(Key, PanelFixture.Seven, null, new byte[32], panel.Now, null, null), Cancel));
        await Enrolments(panel).AddAsync(new(Invitation.Hash, PanelFixture.Seven, null, panel.Now, panel.Now.AddHours(1)), auditor, Cancel);
        await Installations(panel).AddAsync(new(Ticket.Hash, PanelFixture.Seven, panel.Now, panel.Now.AddDays(7)), auditor, Cancel);
        Assert.True(await Schedules(panel).TryAddAsync(new()
        {
            Tenant = PanelFixture.Seven,
            Workflow = WorkflowName.Parse("report"),
            Owner = Requesters.OfSchedule(),
            Cron = "0 8 * * *",
            Zone = "Europe/Berlin",
            Inputs = JsonElement.Parse("{}"),
            MadeAt = panel.Now,
            NextAt = panel.Now.AddHours(1),
        }, auditor, Cancel));
        await panel.Queues.Client.SendMessageAsync(new() { QueueUrl = panel.Queues.Urls["DispatchDeadLetters"], MessageBody = "given up" }, Cancel);
        return panel;
    }

    private static EnrolmentStore Enrolments(PanelFixture panel) => new(panel.Tables.Client, panel.Tables.Tenants, panel.Clock);

    private static SlackInstallations Installations(PanelFixture panel) => new(panel.Tables.Client, panel.Tables.Tenants, panel.Clock);

    private static ScheduleStore Schedules(PanelFixture panel) => new(panel.Tables.Client, panel.Tables.Executions, panel.Clock);
}

using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.SQS.Model;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Flows;

/// <summary>What is seen from outside of a control plane that runs.</summary>
public sealed class RunningControlPlaneTests(RunningControlPlane running) : IClassFixture<RunningControlPlane>
{
    private static int _users, _machines;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_signed_command_ends_SUCCEEDED_is_charged_once_and_its_user_is_told_once_however_often_it_is_sent()
    {
        var before = await ChargedAsync();
        var command = Type($"run {DemoData.Workflow} city=Paris");

        var first = await running.Slack.PostAsync(command, DemoData.SigningSecret, Cancel);
        var second = await running.Slack.PostAsync(command, DemoData.SigningSecret, Cancel);
        var ended = await running.EndOfAsync(command);
        var third = await running.Slack.PostAsync(command, DemoData.SigningSecret, Cancel);

        Assert.All([first, second, third], answer => Assert.Contains("Working on *wf_sched*", (string)answer.Answer!["text"]!, StringComparison.Ordinal));
        Assert.Equal((ExecutionState.Succeeded, 1), (ended.State, ended.Attempts.Count));
        Assert.Equal("The schedule for Paris is made.", ended.Outcome!.Result!.Summary);
        Assert.Contains("The schedule for Paris is made.", Assert.Single(running.ToldAbout(command)).Text, StringComparison.Ordinal);
        Assert.Equal((before.Charged + 1, before.Used + 1), await ChargedAsync());
    }

    [Fact]
    public async Task A_command_that_policy_refuses_is_told_why_and_charged_nothing()
    {
        var before = await ChargedAsync();
        var command = Type($"run {DemoData.Workflow} city=Paris");
        var auditor = new AuditTrail(running.Local.DynamoClient, running.Local.Tables["AuditTable"], TimeProvider.System).For(Actor.Parse("local:tests"), "a test");
        var administration = new TenantAdministration(running.Local.DynamoClient, running.Local.Tables["TenantsTable"], auditor, TimeProvider.System);

        await administration.LimitAsync(DemoData.Tenant, new(MonthlyQuota: 0), Cancel);
        try
        {
            Assert.Equal(200, (await running.Slack.PostAsync(command, DemoData.SigningSecret, Cancel)).Status);
            Assert.Equal(ExecutionState.Denied, (await running.EndOfAsync(command)).State);
        }
        finally
        {
            await administration.LimitAsync(DemoData.Tenant, new(MonthlyQuota: TenantLimits.Default.MonthlyQuota), Cancel);
        }

        Assert.Contains("quota", Assert.Single(running.ToldAbout(command)).Text, StringComparison.Ordinal);
        Assert.Equal(before, await ChargedAsync());
    }

    [Fact]
    public async Task What_has_to_be_approved_is_asked_about_in_its_channel_and_begins_or_ends_at_a_word_of_its_approvers()
    {
        var began = TimeProvider.System.GetUtcNow();
        await CtlAsync("group set tenant-43 ops --user UA --user UB");
        await CtlAsync("workflow publish tenant-43 wf_approved --path wf_approved --param city:string --approve-by-group ops --approve-in COPS");

        var byButton = await WaitingAsync();
        await SayAsync(byButton, asked => PressOnPageAsync("UA", asked, "approve"));
        Assert.Equal(ExecutionState.Succeeded, (await running.EndOfAsync(byButton)).State);
        await UntilAsync(async () => (await AskedAboutAsync(byButton)).Text.Contains("@UA approved it", StringComparison.Ordinal));

        var byWord = await WaitingAsync();
        await SayAsync(
            byWord, _ => running.Local.Slack.People.TypeAsync(DemoData.Workspace, "UB", "COPS", $"approve {RunningControlPlane.ExecutionOf(byWord).Short}"));
        Assert.Equal(ExecutionState.Succeeded, (await running.EndOfAsync(byWord)).State);

        var denied = await WaitingAsync();
        await SayAsync(denied, asked => running.Local.Slack.People.PressAsync("UB", asked, "deny"));
        Assert.Equal(ExecutionState.Denied, (await running.EndOfAsync(denied)).State);
        Assert.Contains("An approver said no", Assert.Single(running.ToldAbout(denied)).Text, StringComparison.Ordinal);

        var records = await new AuditTrail(running.Local.DynamoClient, running.Local.Tables["AuditTable"], TimeProvider.System)
            .NewestAsync(DemoData.Tenant, null, began, TimeProvider.System.GetUtcNow().AddMinutes(1), Cancel)
            .Where(one => one.Action is "execution.approve" or "execution.deny").ToListAsync(Cancel);
        Assert.Equal(
            [("execution.deny", "slack:T0001/UB"), ("execution.approve", "slack:T0001/UB"), ("execution.approve", "slack:T0001/UA")],
            records.Select(one => (one.Action, one.Actor.ToString())));
    }

    private async Task<SlashCommand> WaitingAsync()
    {
        var command = Type("run wf_approved city=Paris");
        // A machine that is too busy says that nothing was started.
        await UntilAsync(async () => (string?)(await running.Slack.PostAsync(command, DemoData.SigningSecret, Cancel)).Answer?["text"] is { } said
            && said.Contains("needs approval by ops, who are asked in <#COPS>", StringComparison.Ordinal));
        return command;
    }

    /// <summary>An approver's word, again where a machine that is too busy did not hear it: that does no harm.</summary>
    private async Task SayAsync(SlashCommand command, Func<ShownMessage, Task> sayAsync)
    {
        var asked = await AskedAboutAsync(command);
        await UntilAsync(async () =>
        {
            try { await sayAsync(asked); }
            catch (SlackGaveUpException) { }
            var now = await running.Executions.FindAsync(RunningControlPlane.ExecutionOf(command), Cancel);
            return now is { Approvals.Count: > 0 } or { DeniedBy: not null };
        });
    }

    /// <summary>The question in the approvers' channel, as it stands.</summary>
    private async Task<ShownMessage> AskedAboutAsync(SlashCommand command)
    {
        ShownMessage? asked = null;
        var digits = RunningControlPlane.ExecutionOf(command).Short;
        await UntilAsync(() => (asked = running.Local.Slack.State.Messages.SingleOrDefault(
            message => message is { Place: "COPS", IsOfBot: true } && message.Text.Contains(digits, StringComparison.Ordinal))) is not null);
        return asked!;
    }

    private async Task PressOnPageAsync(string user, ShownMessage message, string button)
    {
        using var http = new HttpClient { BaseAddress = running.Local.Slack.Endpoint };
        var seat = $"?team={DemoData.Workspace}&user={user}&channel={message.Place}";
        Assert.Contains(
            $"name=piece value=\"{message.Ts}\"><input type=hidden name=action value=\"{button}\"", await http.GetStringAsync($"/{seat}", Cancel),
            StringComparison.Ordinal);
        using var form = new FormUrlEncodedContent([new("piece", message.Ts), new("action", button)]);
        using var answer = await http.PostAsync($"/press{seat}", form, Cancel);
        Assert.Equal(200, (int)answer.StatusCode);
    }

    private async Task CtlAsync(string line)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var runner = new Runner(output, error, () => Page.On(output, isTerminal: false, width: 0), clear: () => { }, TimeProvider.System);
        var exit = await new ControlPlane.Operator.CtlCommandLine(runner).RunAsync([.. line.Split(' '), "--state", running.State], Cancel);
        Assert.True(exit == 0, $"{line}: {error}");
    }

    [Fact]
    public async Task A_signed_heartbeat_is_stored_for_thirty_days_and_the_same_twice_is_one()
    {
        var (sidecar, machine) = NewSidecar();
        var heartbeat = sidecar.Sign(sidecar.Sample());

        var first = await sidecar.PostAsync(heartbeat, Cancel);
        var second = await sidecar.PostAsync(heartbeat, Cancel);

        Assert.Equal((200, false, 200, true), (first.Status, (bool)first.Answer["duplicate"]!, second.Status, (bool)second.Answer["duplicate"]!));
        var stored = Assert.Single(
            (await running.Local.DynamoClient.ScanAsync(new Amazon.DynamoDBv2.Model.ScanRequest { TableName = running.Local.Tables["MeteringTable"] }, Cancel))
                .Items,
            item => item["sk"].S.Contains(machine, StringComparison.Ordinal));
        Assert.Equal(TimeSpan.FromDays(30).TotalSeconds, long.Parse(stored["expires_at"].N) - heartbeat.Timestamp, tolerance: 120);
        sidecar.Dispose();
    }

    [Theory]
    [InlineData("GET", "/health", 200)]
    [InlineData("POST", "/health", 404)]
    [InlineData("GET", "/slack/commands?ssl_check=1", 200)]
    [InlineData("GET", "/slack/commands", 405)]
    [InlineData("POST", "/slack/commands", 401)]
    [InlineData("PUT", "/slack/commands", 404)]
    [InlineData("POST", "/slack/commands/", 404)]
    [InlineData("POST", "/Slack/Commands", 404)]
    [InlineData("POST", "/outcomes/execution", 404)]
    public async Task The_public_api_answers(string method, string path, int status) =>
        Assert.Equal(status, (int)(await SendAsync(running.Local.PublicApi.Endpoint, method, path, "application/x-www-form-urlencoded")).StatusCode);

    [Theory]
    [InlineData("GET", "/tenants/tenant-43/jwks.json", 200)]
    [InlineData("GET", "/tenants/tenant-157/jwks.json", 404)]
    [InlineData("POST", "/outcomes/execution", 401)]
    [InlineData("GET", "/outcomes/execution", 403)]
    [InlineData("POST", "/metering/heartbeat", 401)]
    [InlineData("PUT", "/metering/heartbeat", 403)]
    [InlineData("POST", "/slack/commands", 403)]
    public async Task The_private_api_answers(string method, string path, int status)
    {
        using var answer = await SendAsync(running.Local.PrivateApi.Endpoint, method, path, "application/json");
        Assert.Equal(status, (int)answer.StatusCode);
        if (status is 401 or 404)
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task A_command_or_heartbeat_signed_with_another_key_is_refused_and_leaves_nothing()
    {
        var command = Type($"run {DemoData.Workflow}");
        Assert.Equal(401, (await running.Slack.PostAsync(command, DemoData.SigningSecret + "x", Cancel)).Status);

        var (sidecar, _) = NewSidecar(seed: Enumerable.Repeat((byte)9, 32).ToArray());
        var (status, answer) = await sidecar.PostAsync(sidecar.Sign(sidecar.Sample()), Cancel);
        Assert.Equal((401, "signature-invalid"), (status, (string)answer["code"]!));
        sidecar.Dispose();

        Assert.Null(await running.Executions.FindAsync(RunningControlPlane.ExecutionOf(command), Cancel));
    }

    [Fact]
    public async Task A_process_that_is_killed_while_a_command_is_under_way_is_started_again_and_the_command_ends()
    {
        var commands = new List<SlashCommand>();
        foreach (var function in running.Local.Functions.Values)
        {
            var command = Type($"run {RunningControlPlane.Repeatable} city={function.Id}");
            commands.Add(command);
            await KillDuringAsync(function, command);
        }

        foreach (var command in commands)
        {
            Assert.Equal(ExecutionState.Succeeded, (await running.EndOfAsync(command)).State);
            Assert.InRange(running.ToldAbout(command).Count(), 1, 2);      // twice where the process died between Slack's taking it and its note of that
        }
        await UntilAsync(() => running.Local.Functions.Values.All(function => function.Starts > 1));
    }

    // What the panel shows of all of it.
    private async Task<IReadOnlyList<string>> PanelAsync(ExecutionId execution)
    {
        using var browser = new HttpClient { BaseAddress = running.Local.Panel.Endpoint };
        browser.DefaultRequestHeaders.Add("Cookie", "AWSELBAuthSessionCookie-0=operator");
        var pages = new List<string>();
        foreach (var page in (string[])["/", "/executions", $"/executions/{execution}", "/tenants/tenant-43", "/usage", "/dead-letters", "/audit"])
        {
            using var answer = await browser.GetAsync(new Uri(page, UriKind.Relative), Cancel);
            pages.Add(await answer.Content.ReadAsStringAsync(Cancel));
        }
        Assert.Contains(pages, page => page.Contains(execution.ToString(), StringComparison.Ordinal));
        return pages;
    }

    [Fact]
    public async Task No_secret_is_in_any_log_line_answer_message_or_dead_letter()
    {
        var secrets = SecretsOfTheHouse();
        var seen = new List<string>();
        var commands =
            new[]
            {
                Type($"run {DemoData.Workflow} city=Rome"), Type($"run {DemoData.Workflow} city=Oslo"), Type($"run {DemoData.Workflow} colour=red"),
                Type("run"), Type("usage"), Type("list"),
            };
        foreach (var command in commands)
        {
            secrets.Add($"the response_url of {command.TriggerId}", command.ResponsePath);
            seen.Add((await running.Slack.PostAsync(command, DemoData.SigningSecret, Cancel)).Answer!.ToJsonString());
            seen.Add($"{(await running.Slack.PostAsync(command, "wrong", Cancel)).Answer}");
        }
        var (sidecar, _) = NewSidecar();
        for (var round = 0; round < 2; round++)
        {
            var heartbeat = sidecar.Sign(sidecar.Sample());
            secrets.Add($"the signature of {heartbeat.Id}", heartbeat.Signature["v1a,".Length..]);
            seen.Add((await sidecar.PostAsync(heartbeat, Cancel)).Answer.ToJsonString());
            seen.Add((await sidecar.PostAsync(heartbeat with { Id = heartbeat.Id + "0" }, Cancel)).Answer.ToJsonString());
        }
        sidecar.Dispose();
        await AddTokensAsync(secrets, commands[0]);
        await running.EndOfAsync(commands[0]);
        await running.EndOfAsync(commands[1]);
        seen.AddRange(await PanelAsync(RunningControlPlane.ExecutionOf(commands[0])));

        seen.AddRange(running.Told.Select(message => message.Json.ToJsonString()));
        seen.AddRange(await DeadLettersAsync());
        var printed = running.Printed();
        var lines = printed.Values.SelectMany(line => line).ToList();
        // these may have had nothing to say
        Assert.Empty(running.Local.Functions.Keys
            .Except(["JwksFunction", "SweeperFunction", "SlackInstallationFunction", "SlackEventsFunction", "EnrolmentFunction"]).Except(printed.Keys));
        Assert.All(
            printed.Where(log => !TenantMachine.IsLogOfOne(log.Key)).SelectMany(log => log.Value),
            line => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind));
        Assert.All(lines.Concat(seen), text => Assert.True(secrets.In(text) is [], $"{string.Join(", ", secrets.In(text))} is in {text}"));

        // The search would have found one.
        var (name, value) = (
            "Authorization", $"Bearer {(await running.Executions.FindOrderAsync(RunningControlPlane.ExecutionOf(commands[0]), Cancel))!.Token}");
        Assert.NotEmpty(secrets.In(new JsonObject { [name] = value }.ToJsonString()));
    }

    // ---- killing ----

    /// <summary>Kills the function's process at the moment when it has the command in hand, as near as that can be seen from outside.</summary>
    private async Task KillDuringAsync(FunctionHost function, SlashCommand command)
    {
        var engine = running.Local.DataPlanes.EngineOf(DemoData.Tenant)!;
        var moment =
            function.Id switch { "DispatchFunction" => "verified", "OutcomesFunction" => "ran", "SlackNotificationsFunction" => "reported", _ => null };
        var killed = new TaskCompletionSource();
        void KillAt(EngineEvent happened)
        {
            if (happened.ExecutionId == RunningControlPlane.ExecutionOf(command).ToString() && happened.What == moment)
                Kill();
        }
        void Kill()
        {
            using var process = Process.GetProcessById(function.ProcessId!.Value);
            process.Kill();
            killed.TrySetResult();
        }

        engine.Happened += KillAt;
        var posting = PostUntilTakenAsync(command);
        if (function.Id == "SlackCommandsFunction")
            Kill();
        await posting;
        if (function.Id == "HeartbeatsFunction")
            await KillDuringHeartbeatAsync(Kill);
        else if (moment is null && function.Id != "SlackCommandsFunction")
            Kill();
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        engine.Happened -= KillAt;
    }

    // Slack's user sees an error, or is told that nothing was started or that nobody can tell, and sends the same again.
    private async Task PostUntilTakenAsync(SlashCommand command)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (status, answer) = await running.Slack.PostAsync(command, DemoData.SigningSecret, Cancel);
            if (status == 200 && answer?["text"]?.GetValue<string>().Contains("Working on", StringComparison.Ordinal) == true)
                return;
            Assert.True(attempt < 10, $"Slack's user was never answered: {answer?.ToJsonString()}");
            await Task.Delay(TimeSpan.FromSeconds(1), Cancel);
        }
    }

    private static async Task KillDuringHeartbeatAsync(Action kill, MeteringSidecar sidecar)
    {
        var heartbeat = sidecar.Sign(sidecar.Sample());
        var posting = sidecar.PostAsync(heartbeat, Cancel);
        kill();
        await posting;

        // The sidecar's part: the same again until it is taken. A dead process may be handed one more event before its end is noticed.
        for (var attempt = 1; ; attempt++)
        {
            var (status, answer) = await sidecar.PostAsync(heartbeat, Cancel);
            if (status == 200)
                return;
            Assert.True(attempt < 5, answer.ToJsonString());
        }
    }

    private async Task KillDuringHeartbeatAsync(Action kill)
    {
        var (sidecar, _) = NewSidecar();
        await KillDuringHeartbeatAsync(kill, sidecar);
        sidecar.Dispose();
    }

    // ---- what is secret, and where it might be ----

    private KnownSecrets SecretsOfTheHouse()
    {
        var secrets = new KnownSecrets();
        foreach (var name in running.Local.Template.Secrets)
            foreach (var member in JsonNode.Parse(running.Local.Secrets.Vault.Get(name, null, null).Text)!.AsObject())
                secrets.Add(member.Key, (string)member.Value!);
        secrets.Add("the sidecar's key", Convert.ToBase64String(DemoData.SidecarSeed));
        return secrets;
    }

    private async Task AddTokensAsync(KnownSecrets secrets, SlashCommand command)
    {
        DispatchOrder? order = null;
        await UntilAsync(async () => (order = await running.Executions.FindOrderAsync(RunningControlPlane.ExecutionOf(command), Cancel)) is not null);
        secrets.AddToken("the execution token", order!.Token);
        secrets.AddToken("the callback token", (string)JsonNode.Parse(order.Body)!["callback"]!["token"]!);
    }

    private async Task<List<string>> DeadLettersAsync()
    {
        using var sqs = running.Local.QueueServer.NewClient();
        var bodies = new List<string>();
        foreach (var queue in running.Local.Queues.Where(queue => queue.Key.EndsWith("DeadLetters", StringComparison.Ordinal)))
            bodies.AddRange(
                ((await sqs.ReceiveMessageAsync(new ReceiveMessageRequest { QueueUrl = queue.Value.Url, MaxNumberOfMessages = 10 }, Cancel)).Messages ?? [])
                .Select(message => message.Body));
        return bodies;
    }

    // ---- requests ----

    /// <summary>A command of a user of its own, whom no rate limit stops.</summary>
    private SlashCommand Type(string text)
    {
        var command = running.Slack.Type(text);
        var body = Encoding.ASCII.GetString(command.Body)
            .Replace($"user_id={DemoData.User}", $"user_id=U1{Interlocked.Increment(ref _users):000}", StringComparison.Ordinal);
        return command with { Body = Encoding.ASCII.GetBytes(body) };
    }

    private (MeteringSidecar Sidecar, string Machine) NewSidecar(byte[]? seed = null)
    {
        var machine = $"i-flows{Interlocked.Increment(ref _machines):000}";
        return (new(DemoData.Tenant.ToString(), machine, DemoData.SidecarKeyId.ToString(), seed ?? DemoData.SidecarSeed, DemoData.Engine.Address,
            running.Local.PrivateApi.Endpoint, TimeProvider.System), machine);
    }

    private static async Task<HttpResponseMessage> SendAsync(Uri api, string method, string path, string contentType)
    {
        using var http = PeeredClient.From(DemoData.Engine.Address);
        using var request = new HttpRequestMessage(new(method), new Uri(api.ToString().TrimEnd('/') + path));
        if (method is "POST" or "PUT")
            request.Content = new StringContent("{}", Encoding.UTF8, new MediaTypeHeaderValue(contentType));
        return await http.SendAsync(request, Cancel);
    }

    private async Task<(long Charged, long Used)> ChargedAsync()
    {
        // What other tests began is over first.
        var quotas = new QuotaLedger(running.Local.DynamoClient, running.Local.Tables["QuotasTable"]);
        await UntilAsync(async () => await quotas.ActiveAsync(DemoData.Tenant, Cancel) == 0);
        var month = await quotas.MonthAsync(DemoData.Tenant, Month.Of(TimeProvider.System.GetUtcNow()), Cancel);
        return (month.Charged, month.Used);
    }

    private static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    private static async Task UntilAsync(Func<Task<bool>> holdsAsync)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await holdsAsync())
            await Task.Delay(TimeSpan.FromMilliseconds(50), patience.Token);
    }
}

using System.CommandLine;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Operator;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Text;

namespace ControlPlane.Tests.Operator;

/// <summary>Who did what: every command that changes something leaves a record, in the transaction of the change.</summary>
public sealed class AuditTests(LocalCloud cloud)
{
    // A command that is in neither list fails the test below: say which it is.
    private static readonly string[] Looking =
    [
        "tenant list", "tenant show", "slack invites", "key list", "key invites", "engine-key", "workflow list", "group list", "execution list",
        "execution show", "execution why", "execution wait", "schedule list", "schedule show", "usage", "metering", "instance list", "instance show",
        "audit", "health", "dlq list", "dr status", "completion",
    ];

    /// <summary>What it says, in an order in which each has something to change; and the records that it leaves.</summary>
    private static readonly (string Command, string Line, string[] Actions)[] Changing =
    [
        ("tenant register", "tenant register tenant-7 --name Acme --slack-team T0007 --engine 10.106.128.10:5678", ["tenant.register"]),
        ("tenant limits", "tenant limits tenant-7 --monthly-quota 500", ["tenant.limits"]),
        ("tenant engine", "tenant engine tenant-7 10.106.128.11:5678", ["tenant.engine"]),
        ("tenant account", "tenant account tenant-7 --account 222222222222 --engine-role engine-host", ["tenant.account"]),
        ("tenant channel", "tenant channel tenant-7 C0042", ["tenant.channel"]),
        ("tenant rename", "tenant rename tenant-7 Ajax", ["tenant.rename"]),
        ("tenant suspend", "tenant suspend tenant-7", ["tenant.suspend"]),
        ("tenant resume", "tenant resume tenant-7", ["tenant.resume"]),
        ("slack link", "slack link tenant-7 T0008", ["slack.link"]),
        ("slack unlink", "slack unlink tenant-7 T0008", ["slack.unlink"]),
        ("slack invite", "slack invite tenant-7", ["slack.invite"]),
        ("slack revoke", "slack revoke tenant-7 {ticket}", ["slack.revoke"]),
        ("secret rotate", "secret rotate bot-token-key", ["secret.rotate"]),
        ("slack reseal", "slack reseal", ["slack.reseal"]),
        ("key add", "key add tenant-7 --public-key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", ["key.add"]),
        ("key revoke", "key revoke tenant-7 kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", ["key.revoke"]),
        ("key invite", "key invite tenant-7", ["key.invite"]),
        ("key withdraw", "key withdraw tenant-7 {invitation}", ["key.withdraw"]),
        ("group set", "group set tenant-7 ops --user T0007/U1", ["group.set"]),
        ("workflow publish", "workflow publish tenant-7 wf_sched --param city:string --allow-group ops", ["workflow.publish"]),
        ("schedule add", "schedule add tenant-7 wf_sched '0 8 * * *' --idempotency-key k1", ["schedule.add"]),
        ("schedule pause", "schedule pause {schedule}", ["schedule.pause"]),
        ("schedule resume", "schedule resume {schedule}", ["schedule.resume"]),
        ("schedule remove", "schedule remove {schedule}", ["schedule.remove"]),
        ("execution start", "execution start tenant-7 wf_sched", ["execution.start"]),
        ("execution again", "execution again {execution}", ["execution.start"]),
        ("execution cancel", "execution cancel {execution}", ["execution.cancel"]),
        ("instance reset", "instance reset tenant-7 i-1", ["instance.reset"]),
        ("quota recount", "quota recount tenant-7 --apply", ["quota.recount"]),
        ("quota owner", "quota owner us-east-1 tenant-7", ["quota.owner"]),
        ("dlq redrive", "dlq redrive dispatch", ["dlq.redrive"]),
        ("dr failover", "dr failover --standby-state {west}", ["dr.takeover", "quota.owner"]),
        ("dr failback", "dr failback --standby-state {west}", ["dr.takeover", "quota.owner"]),
        ("workflow disable", "workflow disable tenant-7 wf_sched", ["workflow.disable"]),
        ("tenant onboard", "tenant onboard tenant-9 --name Nine --wait 0s", ["tenant.onboard", "tenant.register"]),
        ("tenant offboard", "tenant offboard tenant-9", ["tenant.offboard", "tenant.suspend"]),
        ("tenant remove", "tenant remove tenant-7", ["catalogue.clear", "catalogue.clear", "execution.cancel", "slack.unlink", "slack.unlink", "tenant.remove"]),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_command_is_known_to_look_or_to_change()
    {
        var runner = new Runner(TextWriter.Null, TextWriter.Null, () => Page.On(TextWriter.Null, isTerminal: false, 0), () => { }, TimeProvider.System);
        var root = new CtlCommandLine(runner).Root;
        Assert.Equal(Looking.Concat(Changing.Select(one => one.Command)).Order(), Leaves(root, "").Order());

        static IEnumerable<string> Leaves(Command command, string path) => command.Subcommands.Count == 0
            ? [path]
            : command.Subcommands.SelectMany(one => Leaves(one, path.Length == 0 ? one.Name : $"{path} {one.Name}"));
    }

    [Fact]
    [Trait("Length", "long")]
    public async Task Every_change_leaves_its_record_in_its_own_transaction()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await using var writes = new Writes(ctl);
        using var west = new Region(ctl, "us-west-2");
        ctl.Secrets.Put("SlackSecret", SlackSecretText, "v1", create: true);
        var execution = ExecutionId.Of("T0007", "t1");
        var places = new Dictionary<string, string>
        {
            ["{west}"] = west.Folder,
            ["{execution}"] = $"{execution}",
            ["{schedule}"] = $"{ScheduleId.OfOperator(OperatorFixture.Seven, "k1")}",
        };

        foreach (var (command, line, actions) in Changing)
        {
            await PrepareAsync(command);
            var known = (await RecordsAsync(ctl)).Select(one => one.Id).ToHashSet();
            writes.Bare.Clear();
            var said = await ctl.SayAsync($"{places.Aggregate(line, (text, place) => text.Replace(place.Key, place.Value, StringComparison.Ordinal))} --output json");
            Assert.True(said.Exit == 0 || command is "tenant onboard" or "tenant offboard", $"{line}: {said.Error}");
            var records = (await RecordsAsync(ctl)).Where(one => !known.Contains(one.Id)).ToList();
            Assert.True(actions.SequenceEqual(records.Select(one => one.Action).Order()), $"{line}: {string.Join(", ", records.Select(one => one.Action).Order())}");
            Assert.All(records, one => Assert.StartsWith("local:", one.Actor.ToString(), StringComparison.Ordinal));
            Assert.All(records, one => Assert.StartsWith("ctl-", one.RequestId, StringComparison.Ordinal));
            Assert.True(writes.Bare.Count == 0, $"{line} writes without a record: {string.Join(", ", writes.Bare)}");
            switch (command)
            {
                case "slack invite": places["{ticket}"] = said.Json.GetProperty("id").GetString()!; break;
                case "key invite": places["{invitation}"] = said.Json.GetProperty("id").GetString()!; break;
            }
        }

        async Task PrepareAsync(string command)
        {
            switch (command)
            {
                case "slack reseal":
                    await InstallAsync(ctl);
                    break;
                case "execution again":
                    await ctl.QueueExecutionAsync();
                    break;
                case "instance reset":
                    await ctl.BeatAsync();
                    break;
                case "quota recount":
                    await ctl.QueueExecutionAsync("t2");
                    await ctl.Tables.LoseLedgerAsync(OperatorFixture.Seven, new(2026, 11), Cancel);
                    break;
                case "dr failover":
                    writes.Watch(west.Folder);
                    break;
            }
        }
    }

    [Fact]
    public async Task A_record_says_who_when_what_it_was_and_what_it_is()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        ctl.Clock.Advance(TimeSpan.FromHours(20));
        await ctl.DoAsync("tenant limits tenant-7 --monthly-quota 500 --concurrency 3");
        ctl.Clock.Advance(TimeSpan.FromHours(5));
        await ctl.DoAsync("tenant register tenant-8 --name Eight --engine 10.107.128.10:5678");

        var entries = (await ctl.DoAsync("audit --tenant tenant-7 --output json")).Json.GetProperty("entries");
        var entry = Assert.Single(entries.EnumerateArray());      // the registration is more than a day old
        Assert.Equal(("tenant.limits", "tenant-7", "2026-11-06T06:00:00.000Z"), (Text("action"), Text("target"), Text("at")));
        Assert.Equal(
            [("monthly_quota", $"{TenantLimits.Default.MonthlyQuota}", "500"), ("concurrency", $"{TenantLimits.Default.Concurrency}", "3")],
            entry.GetProperty("values").EnumerateArray().Select(one => (TextIn(one, "name"), TextIn(one, "was"), TextIn(one, "is"))));

        Assert.Equal(["tenant.register", "tenant.limits", "tenant.register"], await ActionsAsync("--since 48h"));
        Assert.Equal(["tenant.register"], await ActionsAsync("--since 48h --max 1"));
        Assert.Equal(["tenant.limits", "tenant.register"], await ActionsAsync("--since 48h --tenant tenant-7"));
        Assert.Equal(3, (await ActionsAsync($"--since 48h --actor {Text("actor")}")).Count);
        Assert.Empty(await ActionsAsync("--since 48h --actor local:nobody"));
        Assert.Empty(await ActionsAsync("--since 48h --tenant tenant-7 --actor local:nobody"));

        string? Text(string name) => TextIn(entry, name);

        static string? TextIn(JsonElement json, string name) => json.GetProperty(name).GetString();

        async Task<List<string?>> ActionsAsync(string options) =>
            [.. (await ctl.DoAsync($"audit {options} --output json")).Json.GetProperty("entries").EnumerateArray().Select(one => one.GetProperty("action").GetString())];
    }

    [Fact]
    public async Task What_changed_nothing_leaves_no_record()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        foreach (var line in new[]
        {
            "tenant rename tenant-7 Acme", "tenant resume tenant-7", "tenant register tenant-7 --name Acme --slack-team T0007 --engine 10.106.128.10:5678",
            "slack link tenant-7 T0007", "quota recount tenant-7 --apply", "dlq redrive dispatch --dry-run", "slack reseal",
        })
            await ctl.SayAsync(line);
        Assert.Equal(["tenant.register"], (await RecordsAsync(ctl)).Select(one => one.Action));
    }

    private const string SlackSecretText = """
        {"signing_secret":"8f742231b10e8888abcd99yyyzzz85a5","response_url_key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
         "origin_verify":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","bot_token_key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
        """;

    private static async Task<List<AuditEntry>> RecordsAsync(OperatorFixture ctl) => await new AuditTrail(ctl.Tables.Client, ctl.Tables.Audit, ctl.Clock)
        .NewestAsync(null, null, ctl.Clock.Now.AddDays(-2), ctl.Clock.Now, Cancel).Where(one => one.Actor.ToString() != "local:tests").ToListAsync(Cancel);

    private static async Task InstallAsync(OperatorFixture ctl)
    {
        var (installations, now) = (new SlackInstallations(ctl.Tables.Client, ctl.Tables.Tenants, ctl.Clock), ctl.Clock.Now);
        var ticket = new InstallTicket(OneTimeCode.Make().Hash, OperatorFixture.Seven, now, now + InstallTicket.Lifetime);
        await installations.AddAsync(ticket, ctl.Tables.Auditor, Cancel);
        var (workspace, key) = (TeamId.Parse("T0099"), StrictBase64.Decode("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")!);
        Assert.IsType<Installed.Now>(await installations.CompleteAsync(
            ticket, new(workspace, Seal.Close(key, "xoxb-1", SealedToken.PurposeOf(workspace))), UserId.Parse("UBOT"), UserId.Parse("U1"), ctl.Tables.Auditor,
            Cancel));
    }

    /// <summary>Stands between the tool and DynamoDB, and notes writes that carry no record.</summary>
    private sealed class Writes : IAsyncDisposable
    {
        // How far a series is, an order that was noted before, and the marks that copies are looked for by: none changes what somebody would ask about.
        private static readonly string[] NoChange = ["SERIES#", "exec_", "REGION PROBE"];

        private readonly HttpClient _below;
        private readonly LoopbackServer _server;
        private readonly string _audit;

        public Writes(OperatorFixture ctl)
        {
            _audit = ctl.Tables.Audit;
            _below = new() { BaseAddress = ctl.Tables.Endpoint };
            _server = new(PassAsync);
            Watch(ctl.Folder);
        }

        public List<string> Bare { get; } = [];

        public void Watch(string folder)
        {
            var file = Path.Combine(folder, "endpoints.json");
            var endpoints = JsonNode.Parse(File.ReadAllText(file))!;
            endpoints["dynamodb"] = $"http://{_server.Endpoint}";
            File.WriteAllText(file, endpoints.ToJsonString());
        }

        private async Task PassAsync(HttpListenerContext http, CancellationToken cancel)
        {
            using var body = new MemoryStream();
            await http.Request.InputStream.CopyToAsync(body, cancel);
            var target = http.Request.Headers["X-Amz-Target"]!;
            Look(target[(target.LastIndexOf('.') + 1)..], JsonNode.Parse(body.ToArray())!);

            using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent(body.ToArray()) };
            request.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
            foreach (var name in new[] { "X-Amz-Target", "X-Amz-Date", "Authorization" })
                request.Headers.TryAddWithoutValidation(name, http.Request.Headers[name]);
            using var answer = await _below.SendAsync(request, cancel);
            (http.Response.StatusCode, http.Response.ContentType) = ((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString());
            foreach (var (name, values) in answer.Headers.Where(one => one.Key.StartsWith("x-amz", StringComparison.OrdinalIgnoreCase)))
                http.Response.Headers[name] = string.Join(',', values);
            await http.Response.OutputStream.WriteAsync(await answer.Content.ReadAsByteArrayAsync(cancel), cancel);
            http.Response.Close();
        }

        private void Look(string operation, JsonNode body)
        {
            var parts = operation switch
            {
                "PutItem" or "UpdateItem" or "DeleteItem" => [body],
                "TransactWriteItems" => body["TransactItems"]!.AsArray().Select(one => one!.AsObject().First().Value!).ToArray(),
                "BatchWriteItem" => throw new NotSupportedException("Nothing writes in batches so far."),
                _ => Array.Empty<JsonNode>(),
            };
            if (parts.Length == 0 || parts.Any(one => one["TableName"]!.ToString() == _audit))
                return;
            var keys = parts.Select(one => (one["Key"] ?? one["Item"])!).Select(key => $"{key["pk"]!["S"]} {key["sk"]!["S"]}").ToList();
            if (!keys.TrueForAll(key => NoChange.Any(known => key.StartsWith(known, StringComparison.Ordinal))))
                lock (Bare)
                    Bare.Add($"{operation} {string.Join(", ", keys)}");
        }

        public async ValueTask DisposeAsync()
        {
            await _server.DisposeAsync();
            _below.Dispose();
        }
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.SQSEvents;
using Amazon.Lambda.TestUtilities;
using Amazon.SQS;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.SmallSlack;
using ControlPlane.MeteringCollector.Sweeper;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>A mistake to plant, so that the checks are seen to find it.</summary>
public enum Defect
{
    None, SettlesTwice, ForgetsLateCharge, WaitsForLedger, NeverRecounts, TellsNobody, NeverSweeps, DispatchesAgain, ReopensWhatEnded, LogsTokens,
    BeginsUnapproved, MakesTokensEarly, CountsWhoLeft, LetsAskersApprove, KeepsWhatWasDenied, NeverExpires, AsksNobody,
    LosesOrders, FiresTwice, SkipsTimes, TellsNoOwner,
}

/// <summary>The whole control plane in one process, for some simulated minutes. Everything that happens to it follows from the seed.</summary>
/// <remarks>
/// The functions and the tables are real. Queues lose nothing and do what else queues may do; the engine, Slack, the sidecar and the users behave as their
/// scripts say.
/// For the first minutes calls fail and processes die between any two calls; then the faults stop, and everything has to come to its end.
/// Only where a function makes several calls at once is it open which of them a fault meets.
/// </remarks>
internal sealed partial class Simulation : IAsyncDisposable
{
    public const string Idempotent = "wf_again";

    private const string Once =
        "wf_once", Workspace = DemoData.Workspace, User = DemoData.User, SigningSecret = "8f742231b10e8888abcd99yyyzzz85a5", Origin = "cloudfront-says-hello";

    private static readonly TimeSpan FaultsFor =
        TimeSpan.FromMinutes(7), Deadline = TimeSpan.FromMinutes(6), LongestRun = TimeSpan.FromMinutes(60), Minute = TimeSpan.FromMinutes(1);
    private static readonly TenantId Tenant = DemoData.Tenant;
    private static readonly TenantLimits Limits = new(MonthlyQuota: 6, Concurrency: 4, MonthlyGpuMs: null);

    private readonly Defect _defect;
    private readonly bool _losesLedger;
    private readonly Random _random;
    private readonly SetClock _clock;
    private readonly DateTimeOffset _start;
    private readonly Agenda _agenda;
    private readonly TestTables _tables;
    private readonly Trouble _trouble = new();
    private readonly FaultSeam _seam;
    private readonly IAmazonDynamoDB _dynamo;
    private readonly IAmazonSQS _sqs;
    private readonly SimulatedQueues _queues;
    private readonly SimulatedEngine _engine;
    private readonly SimulatedSlack _slack;
    private readonly Surroundings _around;
    private readonly Functions _untroubled;
    private readonly Books _books;
    private readonly SidecarSigner _sidecar = SidecarSigner.OfRfc8032();
    private readonly MemoryStream _log = new();
    private readonly List<string> _trace = [];
    private readonly List<Request> _requests = [];
    private readonly List<string> _deadLetters = [];
    private readonly List<string> _bodies = [];
    private readonly HashSet<Post> _excused = [];
    private Functions _functions;
    private int _messages;
    private (long Counter, long CpuMs) _metered;

    private Simulation(int seed, Defect defect, TestTables tables)
    {
        (_defect, _random, _tables) = (defect, new(seed), tables);
        _losesLedger = seed % 4 == 3 || defect is Defect.WaitsForLedger or Defect.NeverRecounts;
        // Every other run goes over the end of a month.
        _start = seed % 2 == 0 ? new(2026, 11, 30, 23, 57, 30, TimeSpan.Zero) : new(2026, 11, 22, 12, 0, 5, TimeSpan.Zero);
        _clock = new(_start);
        _agenda = new(_clock, _random);
        _approval = RuleOf(seed, defect);
        _books = new(tables, Tenant, Limits, _approval, _clock);
        _queues = new(_clock);
        _seam = new(_trouble.Next, _queues);
        (_dynamo, _sqs) = (_seam.DynamoDb(tables.Endpoint), _seam.Sqs(SimulatedQueues.Endpoint));
        _engine = new(MannerOfNext, RanAsync);
        _slack = new(MoodOfSlack, new(() => SlackApp.Of(SlackSecret, Functions.ControlPlaneUrl), _clock))
        {
            Hides = post => defect == Defect.TellsNobody || (defect == Defect.AsksNobody && post.Asks) || (defect == Defect.TellsNoOwner && IsDirect(post)),
        };

        var secret = new KeptSecrets();
        secret.Put("v1", SlackSecret, _start.AddDays(-30));
        _around = new(
            tables, secret, KeptSecrets.WithRoot("v1", _start.AddDays(-30)), _slack, ConnectRoutes.Parse($"10.142.128.10:5678={_engine.Endpoint}"), _log,
            _clock);
        _functions = new(_around, _dynamo, _sqs);
        var noTrouble = new FaultSeam(_ => null, _queues);
        _untroubled = new(_around, noTrouble.DynamoDb(tables.Endpoint), noTrouble.Sqs(SimulatedQueues.Endpoint));
    }

    private static string SlackSecret => new JsonObject
    {
        ["signing_secret"] = SigningSecret,
        ["response_url_key"] = Key(7),
        ["origin_verify"] = Origin,
        ["client_id"] = "3336676.569200954261",
        ["client_secret"] = "d0c1-of-the-app",
        ["bot_token_key"] = Key(9),
    }.ToJsonString();

    private static string Key(byte of) => Convert.ToBase64String(Enumerable.Repeat(of, 32).ToArray());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static TestLambdaContext Context => new() { RemainingTime = TimeSpan.FromSeconds(30), AwsRequestId = "invocation" };

    private bool IsTroubled => _clock.Now < _start + FaultsFor;

    /// <exception cref="Broken">Something that must always hold does not; the data holds the trace.</exception>
    /// <param name="tell">Takes what happened, step by step.</param>
    /// <returns>How the executions ended.</returns>
    public static async Task<IReadOnlyCollection<Execution>> RunAsync(LocalCloud cloud, int seed, Defect defect = Defect.None, Action<string>? tell = null)
    {
        await using var simulation = new Simulation(seed, defect, await cloud.TablesAsync());
        try
        {
            await simulation.RunAsync();
            tell?.Invoke(string.Join('\n', simulation._trace));
            return simulation._books.Executions;
        }
        catch (Broken e)
        {
            throw new Broken(
                e.Rule, $"{e.Message}\nSIMULATION_SEED={seed} shows it again. What happened:\n{string.Join('\n', simulation._trace.TakeLast(120))}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _functions.Dispose();
        _untroubled.Dispose();
        _slack.Dispose();
        _queues.Dispose();
        _dynamo.Dispose();
        _sqs.Dispose();
    }

    private async Task RunAsync()
    {
        await PrepareAsync();
        while (_agenda.Pending > 0 || !_books.IsSettled)
        {
            if (_clock.Now > _start + LongestRun)
                throw new Broken("I1", $"after {LongestRun.TotalMinutes} minutes {string.Join(", ", _books.Executions.Where(one => one.ToldAt is null).Select(one => $"{one.Id} is {one.State.Name} and its user not told"))}, {_agenda.Pending} messages wait.");
            await _agenda.NextAsync();
        }
        await CheckTheEndAsync();
    }

    private async Task PrepareAsync()
    {
        var registry = new TenantRegistry(_tables.Client, _tables.Tenants);
        Assert.True(EngineAddress.TryParse("10.142.128.10", Tenant, allowPublicSubnet: false, out var engine));
        await registry.SaveAsync(new Tenant(Tenant, "Acme", TenantStatus.Active, engine, false, Limits), Cancel);
        foreach (var name in new[] { Once, Idempotent })
            await registry.SaveAsync(
                Tenant, new Workflow(
                    WorkflowName.Parse(name), WebhookPath.Of(WorkflowName.Parse(name)), [], Deadline, name == Idempotent, Enabled: true, [], [], []), Cancel);
        await registry.TryLinkAsync(new(TeamId.Parse(Workspace), Tenant), Cancel);
        await registry.TryAddAsync(_sidecar.Registration(), Cancel);
        await DemoData.InstallAsync(new(_tables.Client, _tables.Tenants, _clock), SlackSecret, _tables.Auditor, _clock, Cancel);
        await PrepareApprovalsAsync(registry);
        if (_defect != Defect.NeverSweeps)          // its other half is to be found
            PrepareSchedule();

        for (var i = _random.Next(3, 7); i > 0; i--)
            _agenda.In(Seconds(0, 200), TypeRunAsync);
        _agenda.RoutinelyIn(Minute, SweepAsync);
        _agenda.In(TimeSpan.FromSeconds(1), BeatAsync);
        // In every fourth run the ledger is lost while executions are under way, and counted anew when the trouble is over.
        if (_losesLedger)
        {
            _agenda.In(TimeSpan.FromSeconds(100), () => _books.LoseLedgerAsync(Month.Of(_clock.Now), Cancel));
            _agenda.In(FaultsFor + Minute, RecountAsync);
        }
    }

    private async Task RecountAsync()
    {
        _trace.Add($"{_clock.Now - _start:mm\\:ss\\.f} recount");
        await _books.RecountAsync(new[] { Month.Of(_start), Month.Of(_clock.Now) }.Distinct(), Cancel);
        if (_defect == Defect.NeverRecounts)
            await _tables.LoseLedgerAsync(Tenant, Month.Of(_start), Cancel);
    }

    // ---- users ----

    /// <summary>A request as its user knows it: what was typed, and what came back each time it was sent.</summary>
    private sealed record Request(string Trigger, string Text, bool Starts, string User = Simulation.User)
    {
        /// <summary>The message whose button it is; null for a typed command.</summary>
        public Post? In { get; init; }

        public ExecutionId Execution => ExecutionId.Of(Workspace, Trigger);
        public string ReplyPath => $"/commands/{Workspace}/1234567890/{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Trigger)))[..24]}";
        public List<Reply> Replies { get; } = [];
    }

    private enum Reply { Accepted, Refused, Unclear }

    private Task TypeRunAsync()
    {
        var text = _random.Next(30) switch { < 10 => $"run {Once}", < 17 => $"run {Idempotent}", < 20 => $"run {Once} nonsense=1", _ => $"run {Approved}" };
        var request = Type(text, starts: true);
        if (_random.Next(4) == 0)
            _agenda.In(Seconds(1, 120), () => PostAsync(Type($"cancel {request.Execution}", starts: false)));
        if (_random.Next(6) == 0)
            _agenda.In(Seconds(0, 30), () => PostAsync(request));
        return PostAsync(request);
    }

    private Request Type(string text, bool starts, string user = User, Post? asked = null)
    {
        var request = new Request($"{_requests.Count}.trigger", text, starts, user) { In = asked };
        _requests.Add(request);
        return request;
    }

    private async Task PostAsync(Request request)
    {
        var answer = await StepAsync(
            $"{request.User}{(request.In is null ? "" : " presses")}: {request.Text}", () => _functions.Commands.RouteAsync(Signed(request), Context));
        if (answer is not null && answer.StatusCode != 200)
            throw new Broken("I10", $"Slack was answered {answer.StatusCode}.");
        if (answer?.Body is { Length: > 0 } said && SlackLimits.Fault(JsonNode.Parse(said)!.AsObject()) is { } fault)
            throw new Broken("I10", $"Slack cannot show the answer to {request.Text}: {fault}.");
        var reply = answer?.Body switch
        {
            null => Reply.Unclear,
            var body when AcceptingWords.Any(words => body.Contains(words, StringComparison.Ordinal)) => Reply.Accepted,
            var body when body.Contains("Nothing was started", StringComparison.Ordinal) => Reply.Refused,
            _ => Reply.Unclear,
        };
        request.Replies.Add(reply);
        await PlantDenialAsync(request, answer?.Body);
        var isWanted = request.Starts || request == _scheduling ? reply != Reply.Accepted : request.User != User && answer is null;
        if (isWanted && request.Replies.Count < 3 && _random.Next(3) > 0)
            _agenda.In(Seconds(1, 20), () => PostAsync(request));
    }

    private APIGatewayHttpApiV2ProxyRequest Signed(Request request)
    {
        var form = request.In is null
            ? $"team_id={Workspace}&channel_id=C0001&user_id={request.User}&command=%2Fwf&text={Uri.EscapeDataString(request.Text)}"
                + $"&response_url={Uri.EscapeDataString("https://hooks.slack.com" + request.ReplyPath)}&trigger_id={request.Trigger}"
            : $"payload={Uri.EscapeDataString(PressOf(request).ToJsonString())}";
        var path = request.In is null ? "/slack/commands" : "/slack/interactions";
        var second = _clock.Now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return new()
        {
            RawPath = path,
            RawQueryString = "",
            Headers = new Dictionary<string, string>
            {
                ["content-type"] = "application/x-www-form-urlencoded",
                ["x-slack-request-timestamp"] = second,
                ["x-slack-signature"] = SlackRequest.Signature(SigningSecret, second, Encoding.ASCII.GetBytes(form)),
                ["x-origin-verify"] = Origin,
            },
            Body = Convert.ToBase64String(Encoding.ASCII.GetBytes(form)),
            IsBase64Encoded = true,
            RequestContext =
                new()
                {
                    Http = new() { Method = "POST", Path = path, SourceIp = "198.51.100.7" },
                    RequestId = "request",
                    TimeEpoch = _clock.Now.ToUnixTimeMilliseconds()
                },
        };
    }

    private Mood MoodOfSlack() =>
        !IsTroubled ? Mood.Fine : _random.Next(10) switch { 0 => Mood.InTrouble, 1 => Mood.Busy, 2 => Mood.AnswerLost, _ => Mood.Fine };

    // ---- queues ----

    private void Send(Delivery message)
    {
        if (IsOrderOfSchedule(message))
        {
            if (_defect == Defect.LosesOrders)
                return;
            if (_defect == Defect.FiresTwice)
                _agenda.In(Transit(), () => DeliverAsync(AnotherOf(message)));
        }
        _bodies.Add(message.Body);
        _agenda.In(Transit(), () => DeliverAsync(message));
        if (_random.Next(8) == 0)
            _agenda.In(Transit(), () => DeliverAsync(message));
    }

    private TimeSpan Transit() => _random.Next(10) switch { < 7 => Seconds(0, 1.5), < 9 => Seconds(2, 20), _ => Seconds(30, 100) };

    private async Task DeliverAsync(Delivery message)
    {
        message = message with { Receives = message.Receives + 1 };
        var posts = _slack.Taken.Count;
        var what = $"{message.Queue} {message.Id}, receive {message.Receives}: {Named(message.Body)}";
        await PlantBeforeAsync(message);
        var answer = await StepAsync(what, () => HandOver(message));
        if (_trouble.Happened is not null)
            _excused.UnionWith(_slack.Taken.Skip(posts));

        var pause = _queues.Pauses.Remove(message.Id, out var asked) ? Steady(asked) : (TimeSpan?)null;
        if (answer is { BatchItemFailures.Count: 0 })
        {
            await PlantDispatchAsync(message);
            await PlantApprovalAsync(message);
            return;
        }
        var queue = LocalCloud.Template.Queues.Single(one => one.Id == message.Queue);
        if (message.Receives >= queue.Redrive!.MaxReceiveCount)
            _deadLetters.Add(what);
        else
            _agenda.In(pause ?? queue.Visibility, () => DeliverAsync(message));
    }

    private Task<SQSBatchResponse> HandOver(Delivery message)
    {
        var batch = new SQSEvent
        {
            Records =
            [
                new()
                {
                    MessageId = message.Id,
                    ReceiptHandle = message.Id,
                    Body = message.Body,
                    Attributes =
                        new() { ["ApproximateReceiveCount"] = message.Receives.ToString(CultureInfo.InvariantCulture),
                            ["MessageGroupId"] = message.Group ?? "" },
                },
            ],
        };
        return message.Queue switch
        {
            "ExecutionRequestsQueue" => _functions.ExecutionRequests.StartAsync(batch, Context),
            "DispatchQueue" => _functions.Dispatch.DispatchAsync(batch, Context),
            "NotificationsQueue" => _functions.Notifications.TellAsync(batch, Context),
            _ => throw new NotSupportedException(message.Queue),
        };
    }

    // The dispatcher throws its own dice for a pause; ours replace them, or no seed would show the same twice.
    private TimeSpan Steady(TimeSpan pause) => pause <= Minute ? Seconds(1, 30) : pause;

    // ---- the engine ----

    private (Manner, int UnreadyPosts) MannerOfNext()
    {
        var manners = Enum.GetValues<Manner>();
        return (_random.Next(4) == 0 ? Manner.Fine : manners[_random.Next(manners.Length)], _random.Next(1, 4));
    }

    private async Task RanAsync(Job job)
    {
        if (job.Manner == Manner.Silent)
            return;
        if (job.Manner == Manner.ReportsBeforeItAnswers)
        {
            await _untroubled.Outcomes.AnswerAsync(Report(job, "succeeded", run: 1), Context);
            return;
        }
        if (_random.Next(2) == 0)
            _agenda.In(Seconds(0, 40), () => ReportAsync(job, "running", run: 1));
        var end = job.Manner == Manner.ReportsLate ? job.DeadlineAt - _clock.Now + Seconds(30, 300) : Seconds(0.5, 90);
        _agenda.In(end, () => ReportAsync(job, job.Manner == Manner.Fails ? "failed" : "succeeded", run: 1));
        if (job.Manner == Manner.ReportsTwice)
            _agenda.In(end + Seconds(0, 60), () => ReportAsync(job, "succeeded", run: 1));
        if (job.Manner == Manner.ReportsRivals)
            _agenda.In(Seconds(0, 120), () => ReportAsync(job, "failed", run: 2));
    }

    /// <summary>As n8n's callback node does it: five tries, seconds apart.</summary>
    private async Task ReportAsync(Job job, string status, int run, int attempt = 1)
    {
        if (_defect == Defect.WaitsForLedger && _books.WasLost)
            return;
        var answer = await StepAsync($"engine: {job.Execution} {status}, run {run}", () => _functions.Outcomes.AnswerAsync(Report(job, status, run), Context));
        switch (answer?.StatusCode)
        {
            case 200:
                await PlantOutcomeAsync(job, answer);
                return;
            case 409 when _books.Executions.Single(one => one.Id == job.Execution).State.IsTerminal:
                return;
            case null or 503:
                if (attempt < 5)
                    _agenda.In(Seconds(1, 5), () => ReportAsync(job, status, run, attempt + 1));
                return;
            default:
                throw new Broken("I10", $"an outcome was answered {answer.StatusCode} {answer.Body}.");
        }
    }

    private static APIGatewayProxyRequest Report(Job job, string status, int run) => SidecarSigner.Post(
        Encoding.UTF8.GetBytes($$"""{"schema":"outcome.v1","execution_id":"{{job.Execution}}","status":"{{status}}","engine_execution_id":"{{run}}","usage":{ "cpu_ms":{{(status == "running" ? 0 : 1200 + run)}} } }"""),
        "10.142.128.10", new() { ["Content-Type"] = "application/json", ["Authorization"] = $"Bearer {job.CallbackToken}" });

    // ---- the sidecar ----

    private async Task BeatAsync()
    {
        var (counter, cpu) = (_metered.Counter + 1, _metered.CpuMs + _random.Next(0, 60_000));
        await BeatAsync(Sample.At(_clock.Now, counter, cpu, epoch: _start.ToUnixTimeSeconds()), counter, cpu);
        if (IsTroubled)
            _agenda.In(Minute, BeatAsync);
    }

    private async Task BeatAsync(Sample sample, long counter, long cpuMs)
    {
        var answer = await StepAsync($"sidecar: {counter}", () => _functions.Heartbeats.AnswerAsync(_sidecar.Request(sample, _clock.Now), Context));
        switch (answer?.StatusCode)
        {
            case 200:
                _metered = (counter, cpuMs);
                if (_random.Next(4) == 0)
                    _agenda.In(Seconds(0, 70), () => RepeatBeatAsync(sample, counter));
                return;
            case null or 503:
                await BeatAsync(sample, counter, cpuMs);
                return;
            default:
                throw new Broken("I4", $"heartbeat {counter} was answered {answer.StatusCode} {answer.Body}.");
        }
    }

    // It was booked: the sender hears so, or, when a later one was booked meanwhile, that it is too late.
    private async Task RepeatBeatAsync(Sample sample, long counter)
    {
        var answer = await StepAsync($"sidecar: {counter} again", () => _functions.Heartbeats.AnswerAsync(_sidecar.Request(sample, _clock.Now), Context));
        if (answer is not null && (answer.StatusCode, counter == _metered.Counter) is not ((200, true) or (409, false) or (503, _)))
            throw new Broken("I4", $"heartbeat {counter} came again after {_metered.Counter} and was answered {answer.StatusCode}.");
    }

    // ---- the sweeper ----

    private async Task SweepAsync()
    {
        if (_defect != Defect.NeverSweeps && !(_defect == Defect.NeverExpires && _books.Executions.Any(one => one.State == ExecutionState.AwaitingApproval))
            && !(_defect == Defect.WaitsForLedger && _books.WasLost))
        {
            await PlantSkipAsync();
            await StepAsync("sweep", async () =>
            {
                await _functions.Sweeper.SweepAsync(Context);
                return "";
            });
        }
        _agenda.RoutinelyIn(Minute, SweepAsync);
    }

    // ---- what every step has in common ----

    /// <returns>Null when the process died, or failed as a whole.</returns>
    private async Task<T?> StepAsync<T>(string what, Func<Task<T>> runAsync) where T : class
    {
        if (IsTroubled && _random.Next(4) == 0)
            _trouble.Await(_random.Next(1, 8), FaultSeam.AllFaults[_random.Next(FaultSeam.AllFaults.Count)]);
        else
            _trouble.Await(0, default);

        T? answer = null;
        var end = "";
        try
        {
            answer = await runAsync();
        }
        catch (Exception e) when (_trouble.Happened is not null)
        {
            end = e.GetType().Name;
        }
        if (_seam.IsDead)
        {
            (answer, end) = (null, "died");
            _seam.Revive();
            _functions.Dispose();
            _functions = new(_around, _dynamo, _sqs);
        }
        _trace.Add($"{_clock.Now - _start:mm\\:ss\\.f} {what} {_trouble.Happened} {end} {InWords(answer)}");
        foreach (var message in _queues.Take())
            Send(message with { Id = $"m{++_messages}" });
        LetApproversRead();
        await _books.CompareAsync(Cancel);
        if (_slack.Misshapen is [var fault, ..])
            throw new Broken("I10", $"Slack does not take a message: {fault}.");
        if (_engine.Complaints is [var complaint, ..])
            throw new Broken(complaint[..2], complaint);
        return answer;
    }

    private static string InWords(object? answer) => answer switch
    {
        APIGatewayHttpApiV2ProxyResponse http => $"→ {http.StatusCode} {http.Body![..Math.Min(90, http.Body!.Length)]}",
        APIGatewayProxyResponse rest => $"→ {rest.StatusCode} {rest.Body}",
        SQSBatchResponse batch => batch.BatchItemFailures.Count > 0 ? "→ again" : "→ done",
        _ => "",
    };

    private static string Named(string body) => (string)JsonNode.Parse(body)!["execution_id"]!;

    private TimeSpan Seconds(double least, double most) => TimeSpan.FromMilliseconds(_random.Next((int)(least * 1000), (int)(most * 1000)));

    // ---- the end ----

    private async Task CheckTheEndAsync()
    {
        await _books.CompareAsync(Cancel);
        if (_deadLetters is [var dead, ..])
            throw new Broken("I1", $"a message ended among the dead letters: {dead}.");
        foreach (var request in _requests.Where(request => request.Starts))
            CheckTheEndOf(request);
        await CheckApprovalsAsync();
        await CheckScheduleAsync();
        foreach (var month in new[] { Month.Of(_start), Month.Of(_clock.Now) }.Distinct())
        {
            var usage = await new QuotaLedger(_tables.Client, _tables.Quotas).MonthAsync(Tenant, month, Cancel);
            if (usage.Charged != usage.Used)
                throw new Broken("I3", $"in {month} {usage.Charged} are charged and {usage.Used} used, and nothing is under way.");
        }

        var instance = (await new InstanceStore(_tables.Client, _tables.Instances, _clock).OfTenantAsync(Tenant, Month.Of(_clock.Now), Cancel))
            .Instances.Single();
        if ((instance.Counter, instance.Totals.CpuMs) != _metered)
            throw new Broken("I4", $"heartbeat {_metered} was the last accepted, {(instance.Counter, instance.Totals.CpuMs)} is stored.");
        var records = 0;
        await foreach (var _ in new MeteringStore(_tables.Client, _tables.Metering, _clock).SinceAsync(Tenant, _start.AddHours(-1), Cancel))
            records++;
        if (records != _metered.Counter)
            throw new Broken("I4", $"{_metered.Counter} heartbeats were accepted and {records} records are there.");
        CheckForSecrets();
    }

    private void CheckTheEndOf(Request request)
    {
        var execution = _books.Executions.SingleOrDefault(one => one.Id == request.Execution);
        if (execution is null && request.Replies.Contains(Reply.Accepted))
            throw new Broken("I1", $"{request.Execution} was accepted and never made.");
        var isLost = execution is { State: ExecutionState.Denied, Decision.Code: CloseLostRequests.Code };
        if (execution is not null && !isLost && request.Replies.TrueForAll(reply => reply == Reply.Refused))
            throw new Broken("I1", $"{request.Execution} runs, and its user was told that nothing was started.");
        if (execution is null)
            return;

        if (execution.FinishedAt > execution.DeadlineAt + 5 * Minute && !execution.IsLate)
            throw new Broken("I1", $"{execution.Id} ended {execution.FinishedAt - execution.DeadlineAt} after its deadline.");
        CheckWhatWasTold(execution, [.. _slack.Taken.Where(post => post.Path == request.ReplyPath || IsToldDirectly(post, execution))]);
    }

    private static bool IsDirect(Post post) => post.Channel?.StartsWith('D') == true;

    private static bool IsToldDirectly(Post post, Execution execution) => IsDirect(post) && post.Text.Contains(execution.Id.Short, StringComparison.Ordinal);

    private void CheckWhatWasTold(Execution execution, List<Post> told)
    {
        if (told.Count == 0 || told[^1].State != execution.State)
            throw new Broken("I5", $"{execution.Id} is {execution.State.Name}, and its user was told {(told.Count == 0 ? "nothing" : told[^1].State.Name)}.");
        foreach (var post in told.GroupBy(post => post.State))
            if (post.Key != execution.State && !(post.Key is ExecutionState.TimedOut or ExecutionState.Failed && execution.IsLate))
                throw new Broken("I5", $"{execution.Id} is {execution.State.Name}, and its user was once told {post.Key.Name}.");
            else if (post.Count(one => one.IsSure && !_excused.Contains(one)) > 1)
                throw new Broken("I5", $"the user of {execution.Id} was told {post.Count()} times.");
    }

    private void CheckForSecrets()
    {
        var secrets = new KnownSecrets();
        secrets.Add("the signing secret", SigningSecret);
        secrets.Add("the origin value", Origin);
        secrets.Add("the bot's token", SlackApp.Of(SlackSecret, Functions.ControlPlaneUrl).TokenOf(Workspace));
        foreach (var request in _requests)
            secrets.Add($"the response_url of {request.Trigger}", request.ReplyPath);
        foreach (var job in _engine.Jobs.Values)
        {
            secrets.AddToken("an execution token", job.Token);
            secrets.AddToken("a callback token", job.CallbackToken);
        }
        var lines = Encoding.UTF8.GetString(_log.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList();
        if (_defect == Defect.LogsTokens && _engine.Jobs.Count > 0)
            lines.Add($$"""{"event":"Dispatched","authorization":"Bearer {{_engine.Jobs.Values.First().Token}}"}""");
        foreach (var line in lines)
        {
            if (JsonDocument.Parse(line).RootElement.ValueKind != JsonValueKind.Object)
                throw new Broken("I9", $"a log line is no JSON object: {line}");
        }
        foreach (var text in lines.Concat(_bodies).Concat(_slack.Taken.Select(post => post.Message.ToJsonString())))
            if (secrets.In(text) is [var found, ..])
                throw new Broken("I9", $"{found} is in {text}");
    }

    // ---- defects, planted so that the checks are seen to find them ----

    private async Task PlantOutcomeAsync(Job job, APIGatewayProxyResponse answer)
    {
        if (!answer.Body!.Contains("\"duplicate\":false", StringComparison.Ordinal) || answer.Body.Contains("running", StringComparison.Ordinal))
            return;
        if (_defect == Defect.SettlesTwice)
            await ChangeAsync(_tables.Quotas, Items.Key(Tenant.ToString(), $"MONTH#{Month.Of(_start)}"), "ADD used :value", Items.Number(1));
        if (_defect == Defect.ForgetsLateCharge && answer.Body.Contains("\"late\":true", StringComparison.Ordinal))
        {
            foreach (var month in _books.Executions.Where(one => one.Id == job.Execution).Select(one => one.Month))
                await ChangeAsync(_tables.Quotas, Items.Key(Tenant.ToString(), $"MONTH#{month}"), "ADD charged :value, used :value", Items.Number(-1));
        }
        if (_defect == Defect.ReopensWhatEnded)
            await ChangeAsync(_tables.Executions, ExecutionItems.KeyOf(job.Execution), "SET #state = :value", Items.Text(ExecutionState.Running.Name));
    }

    private async Task PlantDispatchAsync(Delivery message)
    {
        if (_defect != Defect.DispatchesAgain || message.Queue != "DispatchQueue" || message.Receives > 1
            || !_engine.Jobs.TryGetValue(ExecutionId.Parse(Named(message.Body)), out var job) || job.Runs == 0
            || _books.Executions.Single(one => one.Id == job.Execution).State.IsTerminal)
            return;
        await ChangeAsync(_tables.Executions, ExecutionItems.KeyOf(job.Execution), "SET #state = :value", Items.Text(ExecutionState.Queued.Name));
        _agenda.In(TimeSpan.FromSeconds(1), () => DeliverAsync(message));
    }

    private Task ChangeAsync(
        string table, Dictionary<string, Amazon.DynamoDBv2.Model.AttributeValue> key, string change,
        Amazon.DynamoDBv2.Model.AttributeValue value) => _tables.Client.UpdateItemAsync(
        new()
        {
            TableName = table,
            Key = key,
            UpdateExpression = change,
            ExpressionAttributeNames = change.Contains("#state", StringComparison.Ordinal) ? new() { ["#state"] = "state" } : null,
            ExpressionAttributeValues = new() { [":value"] = value },
        },
        Cancel);
}

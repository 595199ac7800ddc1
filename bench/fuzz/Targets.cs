using System.Text;
using System.Text.Json;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Metering;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Enrolment;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.MeteringCollector.Outcomes;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Sidecar;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Events;
using ControlPlane.SlackHandler.Interactions;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.Tenants;
using ControlPlane.Text;
using ControlPlane.Timetables;
using ControlPlane.Tokens;

namespace ControlPlane.Bench.Fuzz;

/// <summary>Everything that reads what others wrote. Each takes any bytes; what it throws, and what it says that is not so, is a find.</summary>
internal static class Targets
{
    private static readonly EventSerializer Public = new(new SourceGeneratorLambdaJsonSerializer<LambdaJson>());
    private static readonly EventSerializer Private = new(new SourceGeneratorLambdaJsonSerializer<EventJson>());
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static readonly Workflow Catalogued = new(
        WorkflowName.Parse("wf"), WebhookPath.Of(WorkflowName.Parse("wf")),
        [
            new("city", ParameterType.String, Required: true, MaxLength: 20), new("days", ParameterType.Integer, Minimum: 1, Maximum: 14),
            new("share", ParameterType.Number), new("dry", ParameterType.Boolean), new("size", ParameterType.Enum, Values: ["small", "large"]),
        ],
        Workflow.DefaultDeadline, Idempotent: false, Enabled: true, [], [], []);

    public static IReadOnlyDictionary<string, Action<byte[]>> All { get; } = new SortedDictionary<string, Action<byte[]>>(StringComparer.Ordinal)
    {
        ["command"] = Command,
        ["interaction"] = InteractionOf,
        ["event"] = Event,
        ["words"] = Words,
        ["inputs"] = Inputs,
        ["reply-url"] = ReplyAddress,
        ["cron"] = Cron,
        ["heartbeat"] = Heartbeat,
        ["outcome"] = Outcome,
        ["enrolment"] = Enrolment,
        ["caller-identity"] = Identity,
        ["headers"] = Headers,
        ["token"] = Token,
        ["public-event"] = PublicEvent,
        ["private-event"] = PrivateEvent,
        ["queue-event"] = QueueEvent,
        ["time"] = Time,
        ["ids"] = Ids,
        ["base64"] = Base64,
        ["sidecar-answer"] = SidecarAnswer,
        ["nvidia-smi"] = GpuTable,
    };

    private static void Command(byte[] input)
    {
        var form = FormBody.Parse(input);
        if (!SlackCommand.TryParse(form, out var command))
            return;
        _ = ReplyUrl.TryParse(command.ResponseUrl, out _);
        Words(command.Text);
    }

    private static void Words(byte[] input) => Words(Encoding.UTF8.GetString(input));

    private static void Words(string text)
    {
        if (CommandText.Words(text) is not { } words)
            return;
        _ = Verbs.Of(words);
        var (arguments, fault) = RunArguments.Parse(words);
        Hold(arguments is null != fault is null, "arguments or a fault");
        if (arguments is not null)
            Check(arguments.Inputs);
    }

    private static void Inputs(byte[] input)
    {
        if (StrictJson.TryParseObject(input, out var json))
            Check(json);
    }

    private static void Check(JsonElement given)
    {
        var (inputs, faults) = WorkflowInputs.Check(given, Catalogued);
        if (faults.Count > 0)
            return;
        var (again, faultsAgain) = WorkflowInputs.Check(inputs, Catalogued);
        Hold(faultsAgain.Count == 0 && again.GetRawText() == inputs.GetRawText(), "what was let through is let through again, and is the same");
    }

    private static void InteractionOf(byte[] input)
    {
        var form = FormBody.Parse(input);
        // A payload as it is, too: then it is the JSON that is tried and not its escapes.
        if (form.Pairs.Count == 0 || form.Pairs[0].Key != "payload")
            form = FormBody.Parse(Encoding.ASCII.GetBytes($"payload={Uri.EscapeDataString(Encoding.UTF8.GetString(input))}"));
        if (Interaction.TryParse(form, out var interaction) && interaction is Interaction.Submitted { Values: var values }
            && RunModal.InputsIn(values) is { } inputs)
            Check(inputs);
    }

    private static void Event(byte[] input)
    {
        if (StrictJson.TryParseObject(input, out var json))
            _ = SlackEvent.TryParse(json, out _);
    }

    private static void ReplyAddress(byte[] input)
    {
        if (ReplyUrl.TryParse(Encoding.UTF8.GetString(input), out var url))
            Hold(
                url.Url is { Scheme: "https", IsDefaultPort: true, UserInfo: "" } && url.Url.Host is "hooks.slack.com" or "hooks.slack-gov.com",
                "an answer goes to Slack and to nobody else");
    }

    /// <summary>The fields on the first line, the zone on the second.</summary>
    private static void Cron(byte[] input)
    {
        var lines = Encoding.UTF8.GetString(input).Split('\n', 2);
        if (!Timetable.TryParse(lines[0], lines.Length > 1 ? lines[1] : "UTC", out var timetable, out _))
            return;
        var times = timetable.After(Now, 4).ToList();
        Hold(times.SequenceEqual(times.Order().Distinct()) && times.TrueForAll(time => time > Now), "planned times follow each other");
        Hold(Timetable.Parse(timetable.Fields, timetable.Zone).After(Now, 4).SequenceEqual(times), "what is kept of a timetable plans the same");
        foreach (var time in times)
            _ = timetable.InWords(time);
    }

    private static void Heartbeat(byte[] input)
    {
        if (HeartbeatBody.TryParse(input, out var body, out var instance, out var sampledAt))
            Hold(body.MetricsJson.Length > 0 && InstanceId.Parse(instance.ToString()) == instance && sampledAt.Offset == TimeSpan.Zero, "a heartbeat that has sense");
    }

    private static void Outcome(byte[] input)
    {
        if (OutcomeBody.Read(input) is not OutcomeReading.Read { Outcome: var outcome })
            return;
        Hold(outcome.Usage is { CpuMs: >= 0, GpuMs: >= 0, InputTokens: >= 0, OutputTokens: >= 0 }, "usage is no less than nothing");
        Hold(outcome.Result?.Summary is not { Length: > OutcomeBody.LongestSummary + 10 }, "a summary is cut");
        // It is kept, and read whenever somebody asks.
        var kept = JsonSerializer.Serialize(outcome, DomainJson.Default.Outcome);
        Hold(JsonSerializer.Deserialize(kept, DomainJson.Default.Outcome) == outcome, "an outcome is read as it was kept");
    }

    private static void Enrolment(byte[] input)
    {
        if (EnrolmentBody.TryParse(input, out var applicant))
            Hold(applicant.Registration(Now).PublicKey.Length == SidecarPublicKey.Length, "a key is a key");
    }

    /// <summary>The request as it was signed: the header has it as base64.</summary>
    private static void Identity(byte[] input)
    {
        _ = SignedCallerIdentity.TryRead(Encoding.UTF8.GetString(input), out _);
        if (SignedCallerIdentity.TryRead(Convert.ToBase64String(input), out var identity))
            Hold(identity.Host.StartsWith("sts.", StringComparison.Ordinal) && identity.Host.EndsWith(".amazonaws.com", StringComparison.Ordinal),
                "it is sent to AWS and to nobody else");
    }

    /// <summary>A header a line.</summary>
    private static void Headers(byte[] input)
    {
        var headers = Encoding.UTF8.GetString(input).Split('\n').Select(line => line.Split(':', 2)).Where(line => line.Length == 2)
            .Select(line => KeyValuePair.Create(line[0], line[1].Trim()));
        var request = new RawRequest("POST", "/", headers, input, "10.142.1.10", "request");
        if (HeartbeatSignature.TryRead(request, "hb_", out var signature))
        {
            _ = signature.IsFreshAt(Now);
            Hold(signature.Proofs.Count is > 0 and <= 4 && signature.SignedBytes(input).Length > input.Length, "as many proofs as may be");
        }
        if (BearerToken.TryRead(request, out var token))
            _ = CompactToken.TryRead(token, out _);
        _ = request.IsContentType("application/json");
    }

    private static void Token(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (CompactToken.TryRead(text, out var token))
            Hold(text.Split('.')[1] == System.Buffers.Text.Base64Url.EncodeToString(token.Payload), "a token has one spelling");
    }

    private static void PublicEvent(byte[] input)
    {
        if (TryDeserialize<APIGatewayHttpApiV2ProxyRequest>(Public, input, out var http) && RawRequest.From(http) is { } request)
            Look(request);
    }

    private static void PrivateEvent(byte[] input)
    {
        if (TryDeserialize<APIGatewayProxyRequest>(Private, input, out var rest) && RawRequest.From(rest) is { } request)
        {
            _ = rest.IsLargerThan(1024);
            Look(request);
        }
    }

    private static void Look(RawRequest request)
    {
        _ = request.TryHeader("content-type", out _);
        _ = FormBody.Parse(request.Body.Span);
        _ = StrictJson.TryParseObject(request.Body.Span, out _);
    }

    private static void QueueEvent(byte[] input)
    {
        if (!TryDeserialize<SQSEvent>(Public, input, out var batch))
            return;
        foreach (var message in SqsBatches.MessagesOf(batch, () => { }))
        {
            _ = DispatchMessage.Parse(message.Body);
            try
            {
                _ = StartRequest.Parse(message.Body);
            }
            catch (InvalidDataException)
            {
                // So it says of a message that it cannot read: that one comes again, and becomes a dead letter.
            }
        }
    }

    // An event that AWS did send and that cannot be read fails the invocation: that is meant.
    private static bool TryDeserialize<T>(EventSerializer serializer, byte[] input, out T? value)
    {
        try
        {
            value = serializer.Deserialize<T?>(new MemoryStream(input));
            return true;
        }
        catch (JsonSerializerException)
        {
            value = default;
            return false;
        }
    }

    private static void Time(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (Rfc3339.TryParse(text, out var time))
            Hold(Rfc3339.Parse(Rfc3339.Format(time)) is var again && (time - again).Duration() < TimeSpan.FromMilliseconds(1), "a time is written as it was read");
        _ = Rfc3339.TryParseWithOffset(text, out _);
    }

    private static void Ids(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        Same<TenantId>();
        Same<ExecutionId>();
        Same<ScheduleId>();
        Same<InstanceId>();
        Same<WorkflowName>();
        Same<WebhookPath>();
        Same<TeamId>();
        Same<UserId>();
        Same<ChannelId>();
        Same<KeyId>();

        void Same<T>() where T : struct, ITextId<T> =>
            Hold(!TextId.TryParse<T>(text, out var id) || id.ToString() == text, $"{typeof(T).Name} has one spelling");
    }

    private static void Base64(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        Hold(StrictBase64.Decode(text) is not { } bytes || Convert.ToBase64String(bytes) == text, "base64 has one spelling");
        Hold(CompactToken.Decode(text) is not { } more || System.Buffers.Text.Base64Url.EncodeToString(more) == text, "base64url has one spelling");
    }

    private static void SidecarAnswer(byte[] input) => _ = Sidecar.HeartbeatAnswer.From(200, input, retryAfter: null);

    private static void GpuTable(byte[] input) => _ = NvidiaSmi.Parse(Encoding.UTF8.GetString(input), TimeSpan.FromMinutes(1));

    private static void Hold(bool holds, string promise)
    {
        if (!holds)
            throw new InvalidOperationException($"Broken: {promise}.");
    }
}

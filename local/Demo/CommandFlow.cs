using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Output;
using ControlPlane.Local.SmallSlack;

namespace ControlPlane.Local.Demo;

/// <summary>Flow 1: a Slack command on its way to the user's result, steps 1 to 15.</summary>
internal sealed class CommandFlow(LocalControlPlane local, Screen screen, TimeProvider clock)
{
    /// <summary>Fewer than a user may send in a minute, with the forged one.</summary>
    private const int MostTries = 8;

    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(2);

    private readonly ExecutionStore _executions = new(local.DynamoClient, local.Tables["ExecutionsTable"], local.Tables["QuotasTable"], clock);
    private readonly QuotaLedger _quotas = new(local.DynamoClient, local.Tables["QuotasTable"]);

    /// <exception cref="StepNotSeen">The flow did not reach its end.</exception>
    public async Task PlayAsync(CancellationToken cancel)
    {
        using var observer = new Observer(local);
        using var slack = new SlackUser(local.PublicApi.Endpoint, clock, local.Pace.Of(TimeSpan.FromSeconds(10)));
        var flow = new Flow("Flow 1: from a Slack command to its result", 15, screen, local.Pace, clock);
        flow.Begin();

        var command = slack.Type($"run {DemoData.Workflow} city=Paris");
        var id = ExecutionId.Of(DemoData.Workspace, command.TriggerId);
        var signingSecret = SigningSecret();
        var forged = await PostAsync(slack, command, signingSecret + "?", one => one.Status == 401, cancel);
        var quotaBefore = await _quotas.MonthAsync(DemoData.Tenant, Quotas.Month.Of(clock.GetUtcNow()), cancel);

        await flow.StepAsync("the user types the command", _ => Seen($"/wf run {DemoData.Workflow} city=Paris", clock.GetUtcNow()), cancel);
        var sent = clock.GetUtcNow();
        var posting = PostAsync(slack, command, signingSecret, one => one.IsPrompt && one.Says(id), cancel);
        await flow.StepAsync(
            "Slack signs it and posts it", _ => Seen($"{command.Body.Length} bytes to {local.PublicApi.Endpoint}slack/commands", sent), cancel);

        var passage = await flow.StepAsync("edge and API gateway pass it to the Slack handler", async token =>
        {
            var passed = await observer.FirstAsync<Passage>(one => one.Path == "/slack/commands" && one.In >= sent, token);
            return (passed, new Evidence($"{passed.Request.Method} {passed.Path} → {passed.Function}", passed.In));
        }, cancel);
        await flow.StepAsync("signature verified, rate limit counted", async token =>
        {
            if (forged.Status != 401)
                throw new StepNotSeen($"A forged signature was answered {forged.Status}, not 401.");
            var counted = await flow.UntilAsync(() => RateAsync(sent, token), _ => true, token);
            return new($"a forged copy got 401; {counted} of this minute's commands counted", passage.In);
        }, cancel);
        await flow.StepAsync("acknowledged within Slack's three seconds", async _ =>
        {
            var answered = await posting;
            if (!answered.IsPrompt || !answered.Says(id))
                throw new StepNotSeen($"The command was answered {answered.Status} after {answered.Took.TotalMilliseconds:0} ms: {answered.Text}");
            return new($"200 after {answered.Took.TotalMilliseconds:0} ms{(answered.Try > 1 ? $", at try {answered.Try}" : "")}: {answered.Text}", answered.At);
        }, cancel);

        await flow.StepAsync("the orchestrator's planner makes an execution of it", async token =>
        {
            var planned = await ExecutionAsync(flow, id, _ => true, token);
            return new($"{planned.Id}, inputs {planned.Inputs.GetRawText()}, deadline {planned.DeadlineAt:HH:mm:ss}", planned.CreatedAt);
        }, cancel);
        var created = await flow.StepAsync("policy allows it", async token =>
        {
            var decided = await ExecutionAsync(flow, id, one => one.Decision is not null, token);
            if (!decided.Decision!.Allowed)
                throw new StepNotSeen($"Policy refused: {decided.Decision.Code}.");
            return (
                decided,
                new Evidence($"{string.Join(", ", decided.Decision.Verdicts.Select(verdict => $"{verdict.Rule} {verdict.Verdict.ToString().ToLowerInvariant()}"))}", decided.CreatedAt));
        }, cancel);
        await flow.StepAsync("the token service signs for this tenant alone", async token =>
        {
            var order = await flow.UntilAsync(() => _executions.FindOrderAsync(id, token), _ => true, token);
            return new($"{TokenInWords(order.Token)}, valid until {order.TokenExpiresAt:HH:mm:ss}", created.CreatedAt);
        }, cancel);

        await flow.StepAsync("the dispatcher claims the attempt", async token =>
        {
            var claimed = await ExecutionAsync(flow, id, one => one.Attempts.Count > 0, token);
            return new($"attempt {claimed.Attempts[0].Number}: {claimed.Attempts[0].Result}", claimed.Attempts[0].At);
        }, cancel);
        await flow.StepAsync($"POST http://{DemoData.Engine}:5678/webhook/{DemoData.Workflow} over peering", async token =>
        {
            var arrived = await ExecutionAsync(flow, id, one => one.DispatchedAt is not null, token);
            return new(
                $"{arrived.Attempts[^1].Status} in {arrived.Attempts[^1].Milliseconds} ms",
                arrived.Attempts[^1].At + TimeSpan.FromMilliseconds(arrived.Attempts[^1].Milliseconds));
        }, cancel);
        var ran = await flow.StepAsync("the engine verifies the token and runs the workflow", async token =>
        {
            // Another engine (--engine) tells us nothing itself: its report does.
            if (local.DataPlanes.EngineOf(DemoData.Tenant) is null)
            {
                var started = await ExecutionAsync(flow, id, one => one.StartedAt is not null || one.State.IsTerminal, token);
                var at = started.StartedAt ?? started.FinishedAt ?? sent;
                return (sent, new Evidence("it reported so", at));
            }

            var verified = await observer.FirstAsync<EngineEvent>(one => one.ExecutionId == id.ToString() && one.What == "verified", token);
            var ran = await observer.FirstAsync<EngineEvent>(one => one.ExecutionId == id.ToString() && one.What == "ran", token);
            return (ran.At, new Evidence($"checked against the JWKS of {DemoData.Tenant}; ran {(ran.At - verified.At).TotalMilliseconds:0} ms", ran.At));
        }, cancel);

        await flow.StepAsync("the engine posts its outcome", async token =>
        {
            var taken = await observer.FirstAsync<Passage>(one => one.Path == "/outcomes/execution" && one.In >= ran && one.Status == 200, token);
            return new($"{taken.Request.Method} {taken.Path} → {taken.Status} in {(taken.Out - taken.In).TotalMilliseconds:0} ms", taken.In);
        }, cancel);
        var ended = await flow.StepAsync("the metering collector records the status", async token =>
        {
            var ended = await ExecutionAsync(flow, id, one => one.State.IsTerminal, token);
            if (ended.State != ExecutionState.Succeeded)
                throw new StepNotSeen($"The execution ended as {ended.State.Name} ({ended.FailureCode?.Code ?? ended.Outcome?.Error?.Message}).");
            return (ended, new Evidence($"{ended.State.Name}, {ended.Outcome!.Usage.CpuMs} ms of CPU", ended.FinishedAt ?? clock.GetUtcNow()));
        }, cancel);
        await flow.StepAsync("the quota is settled", async token =>
        {
            var settled = await flow.UntilAsync(
                async () => await _quotas.MonthAsync(DemoData.Tenant, ended.Month, token), month => month.Used > quotaBefore.Used, token);
            return new(
                $"{settled.Used} used in {ended.Month}, {await _quotas.ActiveAsync(DemoData.Tenant, token)} under way", ended.FinishedAt ?? clock.GetUtcNow());
        }, cancel);
        await flow.StepAsync("the user sees the result in Slack", async token =>
        {
            var shown = await observer.FirstAsync<ShownMessage>(one => one.By == command.ResponsePath, token);
            return new($"“{shown.Text.Replace("\n", " | ", StringComparison.Ordinal)}”", shown.At);
        }, cancel);
        flow.End($"{id} succeeded");
    }

    private sealed record Answered(int Status, string? Text, TimeSpan Took, DateTimeOffset At, int Try)
    {
        /// <summary>Slack waits for three seconds.</summary>
        public bool IsPrompt => Status == 200 && Took <= TimeSpan.FromSeconds(3);

        public bool Says(ExecutionId id) => Text?.Contains(id.ToString(), StringComparison.Ordinal) == true;
    }

    /// <summary>Posts the command, and posts it again where a busy machine was late: to the hub the same command is the same execution however often it
    /// comes.</summary>
    /// <returns>The first answer that will do, or the last.</returns>
    private async Task<Answered> PostAsync(SlackUser slack, SlashCommand command, string secret, Func<Answered, bool> willDo, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var began = clock.GetTimestamp();
            var (status, answer) = await slack.PostAsync(command, secret, cancel);
            var answered = new Answered(status, (string?)answer?["text"], clock.GetElapsedTime(began), clock.GetUtcNow(), attempt);
            if (willDo(answered) || attempt == MostTries)
                return answered;
            await Task.Delay(BetweenTries, clock, cancel);
        }
    }

    private string SigningSecret()
    {
        using var secret = JsonDocument.Parse(local.Secrets.Vault.Get("SlackSecret", null, null).Text);
        return secret.RootElement.GetProperty("signing_secret").GetString()!;
    }

    private Task<Execution> ExecutionAsync(Flow flow, ExecutionId id, Func<Execution, bool> shows, CancellationToken cancel) =>
        flow.UntilAsync(() => _executions.FindAsync(id, cancel), shows, cancel);

    private async Task<string?> RateAsync(DateTimeOffset at, CancellationToken cancel)
    {
        // The command may have fallen into the minute after the one in which it was sent.
        foreach (var minute in new[] { at.ToUnixTimeSeconds() / 60, at.ToUnixTimeSeconds() / 60 + 1 })
        {
            var key = new Dictionary<string, AttributeValue> { ["pk"] = new($"{DemoData.Tenant}#{minute.ToString(CultureInfo.InvariantCulture)}") };
            var answer = await local.DynamoClient.GetItemAsync(new() { TableName = local.Tables["RateLimitsTable"], Key = key, ConsistentRead = true }, cancel);
            if (answer.IsItemSet && answer.Item.TryGetValue("total", out var total))
                return total.N;
        }

        return null;
    }

    private static string TokenInWords(string token)
    {
        using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(token.Split('.')[0]));
        return $"{header.RootElement.GetProperty("alg")} {header.RootElement.GetProperty("typ")}, key {header.RootElement.GetProperty("kid").GetString()![..8]}…";
    }

    private static Task<Evidence> Seen(string inWords, DateTimeOffset at) => Task.FromResult(new Evidence(inWords, at));
}

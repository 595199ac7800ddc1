using System.Collections.Concurrent;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;
using ControlPlane.Local.SmallSlack;

namespace ControlPlane.Load;

/// <summary>A command that was typed, and what became of it.</summary>
internal sealed class TypedCommand(LoadTenant tenant, ExecutionId id, DateTimeOffset due)
{
    private int _told;
    private int _ran;

    public LoadTenant Tenant => tenant;

    public ExecutionId Id => id;

    public DateTimeOffset Due => due;

    /// <summary>Whether Slack was answered that it is under way.</summary>
    public bool IsAcknowledged { get; set; }

    public int Told => _told;

    public int Ran => _ran;

    public bool WasTold() => Interlocked.Increment(ref _told) == 1;

    public void WasRun() => Interlocked.Increment(ref _ran);
}

/// <summary>Users of every workspace, who type at a rate of their own: nobody waits for the command before.</summary>
internal sealed class Commands(LocalControlPlane local, Estate estate, string secret, TimeProvider clock) : IDisposable
{
    // As long as Slack waits.
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 512 }) { Timeout = SlackServer.Patience };
    private readonly ConcurrentDictionary<string, TypedCommand> _byAddress = [];
    private readonly ConcurrentDictionary<string, TypedCommand> _byId = [];

    public Times Acknowledged { get; } = new("command → acknowledged");

    public Times Dispatched { get; } = new("command → taken by the engine");

    public Times Told { get; } = new("command → result in Slack (the engine works for 150 ms)");

    public IEnumerable<TypedCommand> All => _byId.Values;

    public async Task TypeAsync(double perSecond, TimeSpan length, CancellationToken cancel)
    {
        local.Slack.State.Shown += Shown;
        estate.Happened += Happened;
        var (began, sent) = (clock.GetUtcNow(), new List<Task>());
        for (var number = 0; number < perSecond * length.TotalSeconds; number++)
        {
            var due = began + TimeSpan.FromSeconds(number / perSecond);
            if (due - clock.GetUtcNow() is { Ticks: > 0 } early)
                await Task.Delay(early, clock, cancel);
            sent.Add(TypeAsync(number, due, cancel));
        }
        await Task.WhenAll(sent);
    }

    public void Dispose()
    {
        local.Slack.State.Shown -= Shown;
        estate.Happened -= Happened;
        _http.Dispose();
    }

    private async Task TypeAsync(int number, DateTimeOffset due, CancellationToken cancel)
    {
        await Task.Yield();
        var tenant = estate.Tenants[number % estate.Tenants.Count];
        var (trigger, path) = ($"{number}.{due.ToUnixTimeMilliseconds()}.load", $"/commands/{tenant.Workspace}/{number}/{Guid.NewGuid():N}");
        var typed = new TypedCommand(tenant, ExecutionId.Of(tenant.Workspace, trigger), due);
        _byAddress[path] = _byId[typed.Id.ToString()] = typed;
        var body = SlackRequest.Form(
        [
            new("team_id", tenant.Workspace), new("channel_id", "CLOAD"), new("user_id", $"U{number}"), new("command", "/wf"),
            new("text", $"run {Estate.Workflow} city=Paris"), new("response_url", $"https://{SlackReplies.Host}{path}"), new("trigger_id", trigger),
        ]);
        try
        {
            using var request = SlackRequest.Signed(new(local.PublicApi.Endpoint, "/slack/commands"), body, SlackRequest.FormType, secret, clock.GetUtcNow());
            using var answer = await _http.SendAsync(request, cancel);
            var text = await answer.Content.ReadAsStringAsync(cancel);
            Acknowledged.Add(clock.GetUtcNow() - due);
            typed.IsAcknowledged = answer.IsSuccessStatusCode && text.Contains(typed.Id.ToString()[..8], StringComparison.Ordinal);
        }
        // Slack says that the app did not answer.
        catch (Exception e) when (e is HttpRequestException or JsonException or TaskCanceledException && !cancel.IsCancellationRequested) { }
    }

    private void Shown(ShownMessage message)
    {
        if (_byAddress.TryGetValue(message.By, out var typed) && typed.WasTold())
            Told.Add(message.At - typed.Due);
    }

    private void Happened(EngineEvent what)
    {
        if (!_byId.TryGetValue(what.ExecutionId, out var typed))
            return;
        if (what.What == "verified")
            Dispatched.Add(what.At - typed.Due);
        if (what.What == "ran")
            typed.WasRun();
    }
}

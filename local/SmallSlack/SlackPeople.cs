using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Local.SmallSlack;

/// <summary>What Slack's users and administrators do: it goes to the hub signed, and what the hub answers is shown.</summary>
/// <param name="patience">For an answer; three seconds are Slack's own.</param>
internal sealed class SlackPeople(SlackState state, SlackReplies replies, TimeSpan patience) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = 2 * patience };

    public void Dispose() => _http.Dispose();

    /// <summary>Types a command.</summary>
    /// <returns>What is shown at once; null where nothing is, as where a window opens instead.</returns>
    public async Task<ShownMessage?> TypeAsync(string team, string user, string channel, string text)
    {
        var workspace = state.Of(team);
        var body = SlackRequest.Form(new Dictionary<string, string>
        {
            ["team_id"] = workspace.Id,
            ["team_domain"] = workspace.Name,
            ["channel_id"] = channel,
            ["channel_name"] = "general",
            ["user_id"] = user,
            ["user_name"] = user,
            ["command"] = "/wf",
            ["text"] = text,
            ["api_app_id"] = "A0LOCAL",
            ["is_enterprise_install"] = "false",
            ["response_url"] = replies.New("commands", workspace, user, channel),
            ["trigger_id"] = state.NewTrigger(workspace, user),
        });
        var answer = await SendAsync("/slack/commands", body, SlackRequest.FormType);
        return answer is null ? null : ShowAnswer(workspace, user, channel, answer);
    }

    /// <summary>Presses a button of a message or of the App Home.</summary>
    /// <param name="action">The button's action.</param>
    public Task PressAsync(string user, ShownMessage message, string action) => PressAsync(message.Workspace, user, ButtonOf(message.Json, action), new()
    {
        ["container"] = new JsonObject
        {
            ["type"] = "message",
            ["message_ts"] = message.Ts,
            ["channel_id"] = message.Place,
            ["is_ephemeral"] = message.OnlyFor is not null,
        },
        ["channel"] = new JsonObject { ["id"] = message.Place, ["name"] = "general" },
        ["message"] = new JsonObject { ["type"] = "message", ["ts"] = message.Ts },
        ["response_url"] = replies.New("actions", message.Workspace, user, message.Place),
    });

    public Task PressAsync(SlackView home, string action, string? value = null)
    {
        var payload = new JsonObject
        {
            ["container"] = new JsonObject { ["type"] = "view", ["view_id"] = home.Id },
            ["view"] = new JsonObject { ["id"] = home.Id, ["type"] = "home" },
        };
        return PressAsync(home.Workspace, home.User, ButtonOf(home.Json, action, value), payload);
    }

    /// <summary>Submits a window. It closes where nothing is wrong.</summary>
    /// <param name="values">By field: what was typed or chosen; of a checkbox <c>yes</c>, or nothing.</param>
    /// <returns>What is wrong, by block; null where nothing is.</returns>
    public async Task<JsonObject?> SubmitAsync(SlackView view, IReadOnlyDictionary<string, string> values)
    {
        var blocks = new JsonObject();
        foreach (var block in view.Json["blocks"]!.AsArray().Where(block => (string?)block!["type"] == "input"))
        {
            var (id, element) = ((string)block!["block_id"]!, block["element"]!);
            blocks[id] = new JsonObject { [(string)element["action_id"]!] = Filled(element, values.GetValueOrDefault(id, "")) };
        }
        var answer = await InteractAsync(view.Workspace, view.User, new()
        {
            ["type"] = "view_submission",
            ["view"] = new JsonObject
            {
                ["id"] = view.Id,
                ["type"] = "modal",
                ["callback_id"] = view.Json["callback_id"]?.DeepClone(),
                ["private_metadata"] = view.Json["private_metadata"]?.DeepClone(),
                ["state"] = new JsonObject { ["values"] = blocks },
            },
            ["response_urls"] = new JsonArray(),
        });
        if (answer?["errors"] is JsonObject faults)
            return faults;
        state.Close(view);
        if (answer?["view"] is JsonObject instead)
            state.Open(view.Workspace, view.User, instead);
        return null;
    }

    /// <summary>Opens the App Home.</summary>
    public Task OpenHomeAsync(string team, string user) =>
        TellAsync(state.Of(team), new() { ["type"] = "app_home_opened", ["user"] = user, ["channel"] = SlackState.DirectMessagesOf(user), ["tab"] = "home" });

    /// <summary>Removes the app from a workspace: its token ends, and the app is told so.</summary>
    public async Task UninstallAsync(string team)
    {
        var workspace = state.Of(team);
        workspace.IsRemoved = true;
        await TellAsync(workspace, new() { ["type"] = "tokens_revoked", ["tokens"] = new JsonObject { ["bot"] = new JsonArray(workspace.BotUser) } });
        await TellAsync(workspace, new() { ["type"] = "app_uninstalled" });
    }

    private Task PressAsync(SlackWorkspace workspace, string user, JsonNode button, JsonObject payload)
    {
        payload["type"] = "block_actions";
        payload["actions"] = new JsonArray(new JsonObject
        {
            ["type"] = "button",
            ["action_id"] = button["action_id"]?.DeepClone(),
            ["block_id"] = "b",
            ["value"] = button["value"]?.DeepClone(),
            ["text"] = button["text"]?.DeepClone(),
            ["action_ts"] = "1",
        });
        return InteractAsync(workspace, user, payload);
    }

    private static JsonNode ButtonOf(JsonObject shown, string action, string? value = null) =>
        shown["blocks"]!.AsArray().Where(block => (string?)block!["type"] == "actions").SelectMany(block => block!["elements"]!.AsArray())
            .FirstOrDefault(button => (string?)button!["action_id"] == action && (value is null || (string?)button["value"] == value))
        ?? throw new InvalidOperationException($"There is no button {action}.");

    private static JsonObject Filled(JsonNode element, string value)
    {
        var type = (string)element["type"]!;
        JsonNode? OptionOf(string chosen) =>
            element["options"]!.AsArray().FirstOrDefault(option => (string?)option!["value"] == chosen)?.DeepClone();
        return type switch
        {
            "checkboxes" => new() { ["type"] = type, ["selected_options"] = OptionOf(value) is { } ticked ? new JsonArray(ticked) : [] },
            "static_select" => new() { ["type"] = type, ["selected_option"] = OptionOf(value) },
            _ => new() { ["type"] = type, ["value"] = value.Length > 0 ? value : null },
        };
    }

    private async Task<JsonObject?> InteractAsync(SlackWorkspace workspace, string user, JsonObject payload)
    {
        payload["user"] = new JsonObject { ["id"] = user, ["username"] = user, ["name"] = user, ["team_id"] = workspace.Id };
        payload["team"] = new JsonObject { ["id"] = workspace.Id, ["domain"] = workspace.Name };
        payload["enterprise"] = null;
        payload["is_enterprise_install"] = false;
        payload["api_app_id"] = "A0LOCAL";
        payload["trigger_id"] = state.NewTrigger(workspace, user);
        return await SendAsync("/slack/interactions", SlackRequest.Form([new("payload", payload.ToJsonString())]), SlackRequest.FormType);
    }

    private Task TellAsync(SlackWorkspace workspace, JsonObject what) => SendAsync("/slack/events", Encoding.UTF8.GetBytes(new JsonObject
    {
        ["type"] = "event_callback",
        ["team_id"] = workspace.IsOrganisation ? null : workspace.Id,
        ["enterprise_id"] = workspace.IsOrganisation ? workspace.Id : null,
        ["api_app_id"] = "A0LOCAL",
        ["event_id"] = $"Ev{Guid.NewGuid():N}",
        ["event_time"] = state.Clock.GetUtcNow().ToUnixTimeSeconds(),
        ["event"] = what,
        ["authorizations"] = new JsonArray(new JsonObject
        {
            ["team_id"] = workspace.IsOrganisation ? null : workspace.Id,
            ["enterprise_id"] = workspace.IsOrganisation ? workspace.Id : null,
            ["is_enterprise_install"] = workspace.IsOrganisation,
            ["is_bot"] = true,
        }),
    }.ToJsonString()), "application/json");

    /// <exception cref="SlackGaveUpException">The hub did not answer as Slack wants it: its user sees an error.</exception>
    private async Task<JsonObject?> SendAsync(string path, byte[] body, string contentType)
    {
        using var request = SlackRequest.Signed(new(state.App.Home, path), body, contentType, state.App.SigningSecret, state.Clock.GetUtcNow());
        var began = TimeProvider.System.GetTimestamp();
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (TimeProvider.System.GetElapsedTime(began) > patience)
            throw new SlackGaveUpException("operation_timeout");
        if (!response.IsSuccessStatusCode)
            throw new SlackGaveUpException($"dispatch_failed ({(int)response.StatusCode})");
        return text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject ?? throw new SlackGaveUpException("dispatch_failed (no JSON)");
    }

    private ShownMessage ShowAnswer(SlackWorkspace workspace, string user, string channel, JsonObject answer) =>
        SlackLimits.Fault(answer) is { } fault ? throw new SlackGaveUpException(fault)
            : state.Show(workspace, channel, (string?)answer["response_type"] == "in_channel" ? null : user, "/slack/commands", answer);
}

/// <summary>What a user sees where the hub did not answer in time or in form.</summary>
internal sealed class SlackGaveUpException(string word) : Exception(word);

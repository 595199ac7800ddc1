using System.Text.Json;
using System.Text.Json.Nodes;

namespace ControlPlane.Local.SmallSlack;

/// <summary>The methods of the Web API that the app calls, with Slack's words for what is wrong: https://docs.slack.dev/reference/methods</summary>
internal sealed class SlackApi(SlackState state)
{
    /// <summary>How old a trigger may be: https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses</summary>
    public static readonly TimeSpan TriggerLifetime = TimeSpan.FromSeconds(3);

    // https://docs.slack.dev/apis/web-api/rate-limits: calls a minute, for each workspace; of posts, one a second for each channel.
    private static readonly Dictionary<string, int> MostAMinute = new(StringComparer.Ordinal)
    {
        ["chat.postMessage"] = 60,
        ["chat.update"] = 50,
        ["conversations.open"] = 50,
        ["views.open"] = 100,
        ["views.publish"] = 100,
    };

    private readonly Dictionary<(string Method, string Of, long Minute), int> _calls = [];

    /// <param name="authorization">The header, as it came.</param>
    /// <returns>The answer, and after how many seconds to ask again where there were too many.</returns>
    public (JsonObject Answer, int? RetryAfter) Call(string method, string? authorization, string? contentType, ReadOnlySpan<byte> body)
    {
        if (!MostAMinute.TryGetValue(method, out var most))
            return (No("unknown_method"), null);
        if (authorization is not ['B', 'e', 'a', 'r', 'e', 'r', ' ', .. var token])
            return (No("not_authed"), null);
        if (state.OfToken(token) is not { } workspace)
            return (No("invalid_auth"), null);
        if (workspace.IsRemoved)
            return (No("token_revoked"), null);
        if (contentType?.Split(';')[0] != "application/json")
            return (No("invalid_post_type"), null);
        if (Parse(body) is not { } given)
            return (No("invalid_json"), null);
        if (PauseOf(method, $"{workspace.Id} {(method == "chat.postMessage" ? (string?)given["channel"] : "")}", most) is { } pause)
            return (No("ratelimited"), pause);
        return (method switch
        {
            "conversations.open" => OpenConversation(workspace, given),
            "chat.postMessage" => PostMessage(workspace, given),
            "chat.update" => Update(workspace, given),
            "views.open" => OpenView(workspace, given),
            _ => Publish(workspace, given),
        }, null);
    }

    public static JsonObject No(string word, string? detail = null)
    {
        var answer = new JsonObject { ["ok"] = false, ["error"] = word };
        if (detail is not null)
            answer["response_metadata"] = new JsonObject { ["messages"] = new JsonArray($"[ERROR] {detail}") };
        return answer;
    }

    private int? PauseOf(string method, string of, int most)
    {
        var second = state.Clock.GetUtcNow().ToUnixTimeSeconds();
        lock (_calls)
        {
            var key = (method, of, second / 60);
            var calls = _calls[key] = _calls.GetValueOrDefault(key) + 1;
            return calls > most ? (int)(60 - second % 60) : null;
        }
    }

    private static JsonObject OpenConversation(SlackWorkspace workspace, JsonObject given) => (string?)given["users"] switch
    {
        null or "" => No("users_list_not_supplied"),
        var user when !workspace.Has(user) => No("user_not_found"),
        var user => new() { ["ok"] = true, ["channel"] = new JsonObject { ["id"] = SlackState.DirectMessagesOf(user) } },
    };

    private JsonObject PostMessage(SlackWorkspace workspace, JsonObject given)
    {
        if (PlaceOf(workspace, given) is not var (place, onlyFor))
            return No("channel_not_found");
        return FaultOf(given) ?? Posted(state.Show(workspace, place, onlyFor, "chat.postMessage", Message(given)));
    }

    private JsonObject Update(SlackWorkspace workspace, JsonObject given)
    {
        if (PlaceOf(workspace, given) is not var (place, _))
            return No("channel_not_found");
        if (state.Find(workspace, place, (string?)given["ts"] ?? "") is not { } message)
            return No("message_not_found");
        if (!message.IsOfBot)
            return No("cant_update_message");
        return FaultOf(given) ?? Posted(state.Change(message, Message(given)));
    }

    private JsonObject OpenView(SlackWorkspace workspace, JsonObject given)
    {
        if (state.FindTrigger((string?)given["trigger_id"] ?? "") is not { } trigger || trigger.Workspace.Id != workspace.Id)
            return No("invalid_trigger_id");
        if (state.Clock.GetUtcNow() - trigger.At > TriggerLifetime)
            return No("expired_trigger_id");
        if (trigger.IsUsed)
            return No("exchanged_trigger_id");
        if (given["view"] is not JsonObject view || SlackLimits.FaultOfView(view) is var fault and not null)
            return No("invalid_arguments", given["view"] is JsonObject bad ? SlackLimits.FaultOfView(bad) : "view");
        trigger.IsUsed = true;
        return Viewed(state.Open(workspace, trigger.User, view));
    }

    private JsonObject Publish(SlackWorkspace workspace, JsonObject given)
    {
        if ((string?)given["user_id"] is not { } user || !workspace.Has(user))
            return No("user_not_found");
        if (given["view"] is not JsonObject view || (string?)view["type"] != "home")
            return No("invalid_arguments", "view");
        return SlackLimits.FaultOfView(view) is { } fault ? No("invalid_arguments", fault) : Viewed(state.Open(workspace, user, view));
    }

    // A channel that the app is a member of, or a user: by their own id or by that of the conversation with them.
    private static (string Place, string? OnlyFor)? PlaceOf(SlackWorkspace workspace, JsonObject given)
    {
        if ((string?)given["channel"] is not { Length: > 1 } channel)
            return null;
        if (workspace.IsOpenTo(channel))
            return (channel, null);
        var user = channel[0] == 'D' ? channel[1..] : channel;
        return workspace.Has(user) ? (SlackState.DirectMessagesOf(user), user) : null;
    }

    private static JsonObject? FaultOf(JsonObject given) =>
        SlackLimits.Fault(given) is { } fault ? No(fault[..fault.IndexOf(':', StringComparison.Ordinal)], fault) : null;

    private static JsonObject Message(JsonObject given) =>
        new(given.Where(member => member.Key is "text" or "blocks").Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));

    private static JsonObject Posted(ShownMessage message) => new() { ["ok"] = true, ["channel"] = message.Place, ["ts"] = message.Ts };

    private static JsonObject Viewed(SlackView view) => new() { ["ok"] = true, ["view"] = new JsonObject { ["id"] = view.Id } };

    private static JsonObject? Parse(ReadOnlySpan<byte> body)
    {
        try { return JsonNode.Parse(body) as JsonObject; }
        catch (JsonException) { return null; }
    }
}

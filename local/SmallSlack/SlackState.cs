using System.Globalization;
using System.Text.Json.Nodes;

namespace ControlPlane.Local.SmallSlack;

/// <summary>What a <c>trigger_id</c> was made for.</summary>
internal sealed record Trigger(SlackWorkspace Workspace, string User, DateTimeOffset At)
{
    public bool IsUsed { get; set; }
}

/// <summary>Everything that is in this Slack: workspaces, messages, windows, and what was given out to the app.</summary>
/// <remarks>Nothing of it outlives its process but the tokens, which are derived: <see cref="SlackApp.TokenOf"/>.</remarks>
internal sealed class SlackState(Func<SlackApp> app, TimeProvider clock)
{
    private readonly Dictionary<string, SlackWorkspace> _workspaces = [];
    private readonly Dictionary<string, Trigger> _triggers = [];
    private readonly List<ShownMessage> _messages = [];
    private readonly Dictionary<string, SlackView> _views = [];
    private readonly Lock _lock = new();
    private int _number;

    /// <summary>Somebody sees something new, or something that changed.</summary>
    public event Action<ShownMessage>? Shown;

    public TimeProvider Clock => clock;

    public SlackApp App => app();

    public IReadOnlyList<SlackWorkspace> Workspaces { get { lock (_lock) return [.. _workspaces.Values]; } }

    /// <summary>All that stands anywhere, oldest first.</summary>
    public IReadOnlyList<ShownMessage> Messages { get { lock (_lock) return [.. _messages]; } }

    /// <summary>The windows that were opened and the homes that were published, each as it was last.</summary>
    public IReadOnlyList<SlackView> Views { get { lock (_lock) return [.. _views.Values]; } }

    public SlackWorkspace Add(SlackWorkspace workspace)
    {
        lock (_lock)
            return _workspaces[workspace.Id] = workspace;
    }

    /// <summary>The workspace of an id; one that nobody added has everybody as its member.</summary>
    public SlackWorkspace Of(string id)
    {
        lock (_lock)
            return _workspaces.TryGetValue(id, out var known) ? known : _workspaces[id] = new(id, id);
    }

    /// <summary>Whose a bot's token is.</summary>
    /// <returns>Null for a token that was never given out; one of a workspace that removed the app says so itself.</returns>
    public SlackWorkspace? OfToken(string token) =>
        token.Split('-') is ["xoxb", var team, _] && token == App.TokenOf(team) ? Of(team) : null;

    public string NewTrigger(SlackWorkspace workspace, string user)
    {
        lock (_lock)
        {
            var id = $"{++_number}.{clock.GetUtcNow().ToUnixTimeMilliseconds()}.{Guid.NewGuid():N}";
            _triggers[id] = new(workspace, user, clock.GetUtcNow());
            return id;
        }
    }

    public Trigger? FindTrigger(string id)
    {
        lock (_lock)
            return _triggers.GetValueOrDefault(id);
    }

    /// <summary>The channel of the bot's direct messages with a user.</summary>
    public static string DirectMessagesOf(string user) => $"D{user}";

    public ShownMessage Show(SlackWorkspace workspace, string place, string? onlyFor, string by, JsonObject json)
    {
        ShownMessage message;
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            message = new(workspace, place, onlyFor, NewTs(now), json.DeepClone().AsObject(), now) { By = by };
            _messages.Add(message);
        }
        Shown?.Invoke(message);
        return message;
    }

    public ShownMessage? Find(SlackWorkspace workspace, string place, string ts) =>
        Messages.FirstOrDefault(message => message.Workspace.Id == workspace.Id && message.Place == place && message.Ts == ts);

    public ShownMessage Change(ShownMessage message, JsonObject json)
    {
        ShownMessage changed;
        lock (_lock)
        {
            changed = message with { Json = json.DeepClone().AsObject(), Changes = message.Changes + 1 };
            _messages[_messages.FindIndex(one => one.Ts == message.Ts && one.Place == message.Place)] = changed;
        }
        Shown?.Invoke(changed);
        return changed;
    }

    public SlackView Open(SlackWorkspace workspace, string user, JsonObject json)
    {
        lock (_lock)
        {
            var id = (string?)json["type"] == "home" ? $"VHOME{workspace.Id}{user}" : $"V{++_number:D8}";
            return _views[id] = new(id, workspace, user, json.DeepClone().AsObject());
        }
    }

    public void Close(SlackView view)
    {
        lock (_lock)
            _views.Remove(view.Id);
    }

    // The second, and a number that no other message has.
    private string NewTs(DateTimeOffset now) => string.Create(CultureInfo.InvariantCulture, $"{now.ToUnixTimeSeconds()}.{++_number:D6}");
}

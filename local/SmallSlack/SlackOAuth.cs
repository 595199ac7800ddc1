using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Local.SmallSlack;

/// <summary>Installing the app: Slack's page of consent, and the exchange of its code.</summary>
/// <remarks>https://docs.slack.dev/authentication/installing-with-oauth, https://docs.slack.dev/reference/methods/oauth.v2.access</remarks>
internal sealed class SlackOAuth(SlackState state)
{
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, Grant> _codes = [];

    private sealed record Grant(SlackWorkspace Workspace, string User, string Return, DateTimeOffset At);

    /// <summary>What is wrong with how a browser was sent here, in Slack's word; null when nothing is.</summary>
    public string? FaultOf(IReadOnlyDictionary<string, string> query)
    {
        string Given(string name) => query.GetValueOrDefault(name, "");
        return Given("client_id") != state.App.ClientId || state.App.ClientId.Length == 0 ? "invalid_client_id"
            : Given("redirect_uri") != state.App.Return ? "bad_redirect_uri"
            : Given("scope").Split(',').Except(SlackApp.Scopes).Any() ? "invalid_scope"
            : null;
    }

    /// <summary>Where the browser goes on to.</summary>
    /// <param name="team">The workspace that consents; null declines.</param>
    public string Decide(IReadOnlyDictionary<string, string> query, string? team, string user)
    {
        var answer = "error=access_denied";
        if (team is not null)
        {
            var code = $"{Random.Shared.NextInt64(1_000_000_000)}.{Guid.NewGuid():N}";
            lock (_codes)
                _codes[code] = new(state.Of(team), user, query["redirect_uri"], state.Clock.GetUtcNow());
            answer = $"code={code}";
        }
        return $"{query["redirect_uri"]}?{answer}&state={Uri.EscapeDataString(query.GetValueOrDefault("state", ""))}";
    }

    /// <param name="authorization">The app's credentials, as <c>Basic</c>.</param>
    public JsonObject Exchange(string? authorization, IReadOnlyDictionary<string, string> form)
    {
        var app = state.App;
        var expected = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{app.ClientId}:{app.ClientSecret}"));
        if (authorization is null || !authorization.StartsWith("Basic ", StringComparison.Ordinal))
            return SlackApi.No("invalid_client_id");
        if (authorization["Basic ".Length..] != expected)
            return SlackApi.No("bad_client_secret");
        Grant? grant;
        lock (_codes)
            _codes.Remove(form.GetValueOrDefault("code", ""), out grant);       // once
        if (grant is null || state.Clock.GetUtcNow() - grant.At > CodeLifetime)
            return SlackApi.No("invalid_code");
        if (form.GetValueOrDefault("redirect_uri") != grant.Return)
            return SlackApi.No("bad_redirect_uri");

        var workspace = grant.Workspace;
        workspace.IsRemoved = false;
        var named = new JsonObject { ["id"] = workspace.Id, ["name"] = workspace.Name };
        return new()
        {
            ["ok"] = true,
            ["access_token"] = app.TokenOf(workspace.Id),
            ["token_type"] = "bot",
            ["scope"] = string.Join(',', SlackApp.Scopes),
            ["bot_user_id"] = workspace.BotUser,
            ["app_id"] = "A0LOCAL",
            ["team"] = workspace.IsOrganisation ? null : named,
            ["enterprise"] = workspace.IsOrganisation ? named : null,
            ["is_enterprise_install"] = workspace.IsOrganisation,
            ["authed_user"] = new JsonObject { ["id"] = grant.User },
        };
    }

    /// <summary>The page that asks.</summary>
    public string Page(IReadOnlyDictionary<string, string> query)
    {
        string Text(string text) => WebUtility.HtmlEncode(text);
        var hidden = string.Concat(query.Select(one => $"<input type=hidden name=\"{Text(one.Key)}\" value=\"{Text(one.Value)}\">"));
        var teams = string.Concat(state.Workspaces.Select(one => $"<option value=\"{Text(one.Id)}\">{Text(one.Name)}</option>"));
        return $"""
            <!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width"><title>Install Workflows</title>
            <style>body{"{"}font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:10vh auto;padding:0 1rem{"}"}label,select,input{"{"}display:block;width:100%;box-sizing:border-box;font:inherit;margin:.25rem 0 1rem;padding:.4rem{"}"}button{"{"}font:inherit;padding:.5rem 1rem{"}"}</style>
            <h1>Install Workflows</h1><p>This is the small Slack of <code>./run</code>. The app wants: {Text(query.GetValueOrDefault("scope", ""))}.</p>
            <form method=post>{hidden}
            <label>Workspace<input name=team list=teams value="{Text(state.Workspaces is [var first, ..] ? first.Id : "T0001")}" required pattern="[TE][A-Z0-9]+"></label>
            <datalist id=teams>{teams}</datalist>
            <button name=answer value=allow>Allow</button> <button name=answer value=deny>Cancel</button></form></html>
            """;
    }
}

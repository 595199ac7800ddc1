using System.Text;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.SmallSlack;

/// <summary>The conversation of one user as a page: what is shown to them, with its buttons and windows, and a line to type commands in.</summary>
internal sealed class SlackPageServer(SlackServer slack)
{
    private const int Latest = 30;

    public async Task AnswerAsync(HttpContext http, string path, bool isPost)
    {
        // Another site's page must not press buttons here.
        if (isPost && http.Request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none"))
        {
            await SlackServer.WriteAsync(http, 403, "text/plain", "");
            return;
        }
        var (team, user, channel) = (Query(http, "team", "T0001"), Query(http, "user", "U0001"), Query(http, "channel", "C0001"));
        if (!isPost)
        {
            await (path == "/"
                ? SlackServer.WriteAsync(http, 200, "text/html; charset=utf-8", Page(team, user, fault: null))
                : SlackServer.WriteAsync(http, 404, "text/plain", "no_such_page"));
            return;
        }

        var form = SlackServer.Fields(Encoding.UTF8.GetString(await SlackServer.BodyAsync(http)));
        try
        {
            switch (path)
            {
                case "/type":
                    await slack.People.TypeAsync(team, user, channel, form.GetValueOrDefault("text", ""));
                    break;
                case "/home":
                    await slack.People.OpenHomeAsync(team, user);
                    break;
                case "/press" when slack.State.Messages.FirstOrDefault(message => message.Ts == form["piece"]) is { } message:
                    await slack.People.PressAsync(user, message, form["action"]);
                    break;
                case "/press" when View(form["piece"]) is { } home:
                    await slack.People.PressAsync(home, form["action"], form["value"]);
                    break;
                case "/submit" when View(form["piece"]) is { } view && await slack.People.SubmitAsync(view, form) is { } faults:
                    await SlackServer.WriteAsync(http, 200, "text/html; charset=utf-8", Page(team, user, (view.Id, faults)));
                    return;
            }
        }
        catch (SlackGaveUpException e)
        {
            await SlackServer.WriteAsync(http, 200, "text/plain; charset=utf-8", $"/wf failed with the error \"{e.Message}\"");
            return;
        }
        http.Response.Redirect($"/?team={Uri.EscapeDataString(team)}&user={Uri.EscapeDataString(user)}&channel={Uri.EscapeDataString(channel)}");
    }

    private SlackView? View(string id) => slack.State.Views.FirstOrDefault(view => view.Id == id);

    private string Page(string team, string user, (string View, System.Text.Json.Nodes.JsonObject ByBlock)? fault)
    {
        var messages = slack.State.Messages.Where(message => message.Workspace.Id == team && (message.OnlyFor ?? user) == user).TakeLast(Latest)
            .Select(message => new ShownPiece(message.Ts, message.Json));
        var views = slack.State.Views.Where(view => view.Workspace.Id == team && view.User == user)
            .Select(view => new ShownPiece(view.Id, view.Json, view.Id == fault?.View ? fault?.ByBlock : null));
        return SlackPage.Of($"Slack: {user} in {team}", messages.Concat(views), commands: true);
    }

    private static string Query(HttpContext http, string name, string standard) =>
        http.Request.Query[name].ToString() is { Length: > 0 } given ? given : standard;
}

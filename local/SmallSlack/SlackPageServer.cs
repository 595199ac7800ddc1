using System.Text;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.SmallSlack;

/// <summary>The conversations of one user as a page: what is shown to them, in whichever channel, with its buttons and windows, and a line to type commands
/// in.</summary>
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
        var seat = new SlackSeat(Query(http, "team", "T0001"), Query(http, "user", "U0001"), Query(http, "channel", "C0001"));
        if (!isPost)
        {
            await (path == "/"
                ? SlackServer.WriteAsync(http, 200, "text/html; charset=utf-8", Page(seat, fault: null))
                : SlackServer.WriteAsync(http, 404, "text/plain", "no_such_page"));
            return;
        }

        var form = SlackServer.Fields(Encoding.UTF8.GetString(await SlackServer.BodyAsync(http)));
        try
        {
            switch (path)
            {
                case "/type":
                    await slack.People.TypeAsync(seat.Team, seat.User, seat.Channel, form.GetValueOrDefault("text", ""));
                    break;
                case "/home":
                    await slack.People.OpenHomeAsync(seat.Team, seat.User);
                    break;
                case "/press" when slack.State.Messages.FirstOrDefault(message => message.Ts == form["piece"] && Sees(seat, message)) is { } message:
                    await slack.People.PressAsync(seat.User, message, form["action"]);
                    break;
                case "/press" when View(form["piece"]) is { } home:
                    await slack.People.PressAsync(home, form["action"], form["value"]);
                    break;
                case "/submit" when View(form["piece"]) is { } view && await slack.People.SubmitAsync(view, form) is { } faults:
                    await SlackServer.WriteAsync(http, 200, "text/html; charset=utf-8", Page(seat, (view.Id, faults)));
                    return;
            }
        }
        catch (SlackGaveUpException e)
        {
            await SlackServer.WriteAsync(http, 200, "text/plain; charset=utf-8", $"/wf failed with the error \"{e.Message}\"");
            return;
        }
        http.Response.Redirect($"/{seat.Query}");
    }

    private SlackView? View(string id) => slack.State.Views.FirstOrDefault(view => view.Id == id);

    private static bool Sees(SlackSeat seat, ShownMessage message) => message.Workspace.Id == seat.Team && (message.OnlyFor ?? seat.User) == seat.User;

    private string Page(SlackSeat seat, (string View, System.Text.Json.Nodes.JsonObject ByBlock)? fault)
    {
        var messages = slack.State.Messages.Where(message => Sees(seat, message)).TakeLast(Latest)
            .Select(message => new ShownPiece(message.Ts, message.Json, SeenBy: message.SeenBy, Seat: seat.Query));
        var views = slack.State.Views.Where(view => view.Workspace.Id == seat.Team && view.User == seat.User)
            .Select(view => new ShownPiece(view.Id, view.Json, view.Id == fault?.View ? fault?.ByBlock : null, Seat: seat.Query));
        return SlackPage.Of($"Slack: {seat.User} in {seat.Channel} of {seat.Team}", messages.Concat(views), seat);
    }

    private static string Query(HttpContext http, string name, string standard) =>
        http.Request.Query[name].ToString() is { Length: > 0 } given ? given : standard;
}

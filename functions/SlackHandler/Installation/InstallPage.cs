using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.SlackHandler.Installation;

/// <summary>The page that a browser sees at the end: what happened, and what to do next. No script, nothing from elsewhere.</summary>
internal static class InstallPage
{
    private const string Style =
        "body{font:1.05rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem;color:#1d1c1d;background:#fff}"
        + "h1{font-size:1.4rem}code{background:#f0f0f0;padding:.1rem .35rem;border-radius:.25rem}"
        + "@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#1a1d21}code{background:#333}}";

    /// <summary>Nothing but this very style is taken, from nowhere, by nobody's frame.</summary>
    public static readonly string ContentSecurityPolicy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <returns>The status and the page; null for an answer that is none.</returns>
    public static (int Status, string Html)? Of(InstallAnswer answer) => answer switch
    {
        InstallAnswer.Linked { Workspace: var workspace } => (200, Html(
            "The app is installed",
            $"{Text(workspace)} is linked. You can close this page.",
            "In Slack, type <code>/wf help</code> in any channel: it says what you may run.")),
        InstallAnswer.AskForNewLink => (410, Html(
            "This link cannot be used",
            "An installation link works once, for seven days, in the browser that opened it, and leads to Slack and back within ten minutes.",
            "Ask whoever sent it to you for a new link. Nothing was changed.")),
        InstallAnswer.Declined => (200, Html(
            "The app was not installed",
            "You declined at Slack, and nothing was changed.",
            "If that was not what you meant, open the same link again.")),
        InstallAnswer.WorkspaceTaken => (409, Html(
            "This workspace is linked already",
            "It belongs to another customer of this service, and nothing was changed.",
            "If you chose the wrong workspace at Slack, open the same link again and choose yours. Else ask whoever sent you the link.")),
        InstallAnswer.OpenAgain => (502, Html(
            "Slack did not finish the installation",
            "Slack's answer did not come, or was no. Nothing was changed.",
            "Open the same link again. If it keeps failing, tell whoever sent it to you.")),
        InstallAnswer.NotSetUp => (503, Html(
            "The app cannot be installed yet",
            "This service lacks the app's own credentials. Nothing was changed.",
            "Tell whoever sent you the link; it keeps working.")),
        _ => null,
    };

    private static string Html(string title, params string[] paragraphs) =>
        $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title><style>{Style}</style></head><body><main><h1>{title}</h1>{string.Concat(paragraphs.Select(one => $"<p>{one}</p>"))}</main></body></html>";

    private static string Text(string text) => WebUtility.HtmlEncode(ControlPlane.Text.Plain.Text(text));
}

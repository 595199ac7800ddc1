using System.Globalization;
using System.IO.Compression;
using System.Text;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.ApplicationLoadBalancerEvents;
using Amazon.Lambda.Core;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Identity;
using ControlPlane.AdminPanel.Look;
using ControlPlane.Aws;
using ControlPlane.Http;
using RazorSlices;

namespace ControlPlane.AdminPanel;

/// <summary>The admin panel behind its load balancer: who it is, then whether they may, then what they asked for.</summary>
internal sealed class AdminPanelFunction(IdentityCheck identity, Routes routes, AdminPanelEvents events, TimeProvider clock)
{
    private const int LargestForm = 64 * 1024;

    private const string Html = "text/html; charset=utf-8";

    /// <summary>On everything: nothing is kept, framed, guessed or sent on, and nothing runs but the panel's own script.</summary>
    private static readonly (string Name, string Value)[] Always =
    [
        ("Content-Security-Policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Strict-Transport-Security", "max-age=31536000"),
    ];

    [LambdaFunction(ResourceName = "AdminPanelFunction")]
    public async Task<ApplicationLoadBalancerResponse> AnswerAsync(ApplicationLoadBalancerRequest alb, ILambdaContext context)
    {
        if (RawRequest.From(alb, context.AwsRequestId, LargestForm) is not { } request)
        {
            events.Foreign();
            return await MessageAsync(400, "That cannot be read", "What came was no request of the load balancer's.", null);
        }

        using var deadline = Deadline.Of(context, TimeSpan.FromMilliseconds(300), clock);
        switch (await identity.OfAsync(request, deadline.Token))
        {
            case IdentityResult.Known { Visitor: var visitor }:
                return await AnswerAsync(visitor, request, alb.IsLargerThan(LargestForm), deadline.Token);
            case IdentityResult.NoRole { Subject: var subject }:
                events.WithoutRole(request.RequestId, subject);
                return await MessageAsync(403, "You may not come in", "Your account has none of the roles that this panel is for.", null);
            case IdentityResult.Unknown { Why: var why }:
                events.NotLetIn(request.RequestId, why);
                return await MessageAsync(401, "Who are you?", "This panel is opened through its load balancer, which says who you are. Sign in again.", null);
            case IdentityResult.NoKey { Why: var why }:
                events.Failed(request.RequestId, request.Method, request.Path, why);
                return await MessageAsync(503, "Try again in a moment", "The key with which the load balancer signs could not be read.", null);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task<ApplicationLoadBalancerResponse> AnswerAsync(Visitor visitor, RawRequest request, bool isTooLarge, CancellationToken cancel)
    {
        var token = FormToken.For(visitor, request);
        var isChange = request.Method == "POST";
        if (!isChange && request.Method is not ("GET" or "HEAD"))
            return await RefusedAsync(visitor, request, "method", 405, "That cannot be done", "Pages are looked at, forms are posted.");
        if (isTooLarge || request.Body.Length > LargestForm)
            return await RefusedAsync(visitor, request, "size", 413, "That is too much", "A form has 64 KiB at most.");
        if (isChange && !visitor.MayChange)
            return await RefusedAsync(visitor, request, "viewer", 403, "You may look, not change", "Changes take the role operator.");
        var form = FormBody.Parse(isChange ? request.Body.Span : []);
        if (isChange && !IsOurs(visitor, request, form))
            return await RefusedAsync(
                visitor, request, "forgery", 403, "That form was not one of this panel's", "Open the page again and repeat it: nothing was changed.");
        if (PanelRequest.PartsOf(request.Path) is not { } parts)
            return await RefusedAsync(visitor, request, "path", 404, "There is no such page", "The menu has all there are.");

        try
        {
            var asked = new PanelRequest(
                visitor, token, request.RequestId, parts, FormBody.Parse(Encoding.UTF8.GetBytes(request.Query)), form, clock.GetUtcNow());
            var answer = await routes.AnswerAsync(asked, isChange, cancel);
            var response = await ToResponseAsync(answer, asked, request);
            events.Answered(request.RequestId, visitor.Actor.ToString(), request.Method, request.Path, response.StatusCode);
            return response;
        }
        catch (InvalidDataException e)
        {
            events.Failed(request.RequestId, request.Method, request.Path, e);
            return await MessageAsync(500, "That is stored wrong", $"{e.Message} To try again does not help: whoever wrote it has to mend it.", visitor);
        }
        catch (Exception e)
        {
            events.Failed(request.RequestId, request.Method, request.Path, e);
            return await MessageAsync(503, "Try again in a moment", $"Something of ours did not answer. The log has it as {request.RequestId}.", visitor);
        }
    }

    // https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site: every browser that people use sends it, and no script can set it.
    private static bool IsOurs(Visitor visitor, RawRequest request, FormBody form) =>
        request.TryHeader("sec-fetch-site", out var site) && site == "same-origin"
        && request.IsContentType("application/x-www-form-urlencoded")
        && form.TryGet(FormToken.Field, out var text) && FormToken.Fits(text, visitor, request);

    private async Task<ApplicationLoadBalancerResponse> RefusedAsync(
        Visitor visitor, RawRequest request, string why, int status, string title, string words)
    {
        events.Refused(request.RequestId, visitor.Actor.ToString(), request.Method, request.Path, why);
        return await MessageAsync(status, title, words, visitor);
    }

    private static async Task<ApplicationLoadBalancerResponse> ToResponseAsync(PanelAnswer answer, PanelRequest asked, RawRequest request)
    {
        var cookie = asked.Token.SetCookie;
        switch (answer)
        {
            case PanelAnswer.Page page:
                return Response(page.Status, Html, await DrawAsync(page.Slice), request, ("Cache-Control", "no-store"), ("Set-Cookie", cookie));
            case PanelAnswer.GoOn { To: var to }:
                return Response(303, Html, [], request, ("Cache-Control", "no-store"), ("Location", to), ("Set-Cookie", cookie));
            case PanelAnswer.File { Name: null } asset:
                return Response(200, asset.ContentType, asset.Bytes, request, ("Cache-Control", "private, max-age=31536000, immutable"));
            case PanelAnswer.File file:
                return Response(
                    200, file.ContentType, file.Bytes, request, ("Cache-Control", "no-store"), ("Content-Disposition", $"attachment; filename=\"{file.Name}\""));
            case PanelAnswer.NotFound { What: var what }:
                return await MessageAsync(404, "There is no such thing", what, asked.Visitor);
            case PanelAnswer.NotDone { Why: var why }:
                return await MessageAsync(409, "That was not done", why, asked.Visitor);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <param name="visitor">Null for somebody who was not let in: there is no menu for them.</param>
    private static async Task<ApplicationLoadBalancerResponse> MessageAsync(int status, string title, string words, Visitor? visitor) =>
        Response(status, Html, await DrawAsync(MessagePage.Create(new(title, words, visitor))), null, ("Cache-Control", "no-store"));

    private static async Task<byte[]> DrawAsync(RazorSlice slice)
    {
        using (slice)
            return Encoding.UTF8.GetBytes(await slice.RenderAsync(HtmlText.Encoder));
    }

    private static ApplicationLoadBalancerResponse Response(
        int status, string contentType, byte[] body, RawRequest? request, params ReadOnlySpan<(string Name, string? Value)> headers)
    {
        var all = new Dictionary<string, IList<string>> { ["Content-Type"] = [contentType] };
        foreach (var (name, value) in Always)
            all[name] = [value];
        foreach (var (name, value) in headers)
            if (value is not null)
                all[name] = [value];
        if (request is not null && body.Length > 1024 && request.TryHeader("accept-encoding", out var accepted) && TakesGzip(accepted))
        {
            all["Content-Encoding"] = ["gzip"];
            body = Packed(body);
        }
        all["Vary"] = ["Accept-Encoding"];
        return new()
        {
            StatusCode = status,
            StatusDescription = string.Create(CultureInfo.InvariantCulture, $"{status} {(System.Net.HttpStatusCode)status}"),
            MultiValueHeaders = all,
            Body = Convert.ToBase64String(body),
            IsBase64Encoded = true,
        };
    }

    // As in "gzip;q=0.5, br": with q=0 it is not taken.
    private static bool TakesGzip(string accepted) => accepted.Split(',').Select(one => one.Split(';', StringSplitOptions.TrimEntries))
        .Any(one => one[0].Equals("gzip", StringComparison.OrdinalIgnoreCase) && (one.Length == 1 || one[1].AsSpan().ContainsAnyInRange('1', '9')));

    private static byte[] Packed(byte[] body)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(body);
        return packed.ToArray();
    }
}

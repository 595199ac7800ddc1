using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Http;

namespace ControlPlane.SlackHandler.Installation;

/// <summary>The two addresses that a browser opens to install the app. What is answered is decided in <see cref="BeginInstallation"/> and
/// <see cref="CompleteInstallation"/>.</summary>
internal sealed class SlackInstallationFunction(
    BeginInstallation beginInstallation, CompleteInstallation completeInstallation, SlackHandlerEvents events, TimeProvider clock)
{
    private const string Resource = "SlackInstallationFunction";
    private const string InstallPath = "/slack/install/";

    /// <summary>The prefix binds it to this very host and to TLS: https://www.rfc-editor.org/rfc/rfc6265bis#section-4.1.3.2</summary>
    private const string Cookie = "__Host-slack-install";

    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(500);

    public Task<APIGatewayHttpApiV2ProxyResponse> RouteAsync(APIGatewayHttpApiV2ProxyRequest? http, ILambdaContext context) =>
        (http?.RequestContext?.Http?.Method, http?.RawPath) switch
        {
            (null, _) => Foreign(),
            ("GET", "/slack/oauth_redirect") => CompleteAsync(http!, context),
            ("GET", { } path) when path.StartsWith(InstallPath, StringComparison.Ordinal) => BeginAsync(http!, context),
            _ => Task.FromResult(Empty(404)),
        };

    [LambdaFunction(ResourceName = Resource), HttpApi(LambdaHttpMethod.Get, "/slack/install/{ticket}")]
    public Task<APIGatewayHttpApiV2ProxyResponse> BeginAsync(APIGatewayHttpApiV2ProxyRequest http, ILambdaContext context) => AnswerAsync(
        http, context, (request, cancel) => beginInstallation.RunAsync(request, request.Path[InstallPath.Length..], CookieIn(http), cancel));

    [LambdaFunction(ResourceName = Resource), HttpApi(LambdaHttpMethod.Get, "/slack/oauth_redirect")]
    public Task<APIGatewayHttpApiV2ProxyResponse> CompleteAsync(APIGatewayHttpApiV2ProxyRequest http, ILambdaContext context) => AnswerAsync(
        http, context, (request, cancel) => completeInstallation.RunAsync(request, CookieIn(http), cancel));

    private async Task<APIGatewayHttpApiV2ProxyResponse> AnswerAsync(
        APIGatewayHttpApiV2ProxyRequest http, ILambdaContext context, Func<RawRequest, CancellationToken, Task<InstallAnswer>> runAsync)
    {
        if (RawRequest.From(http) is not { } request)
            return Empty(400);
        using var deadline = Deadline.Of(context, KeptBack, clock);
        try
        {
            return await runAsync(request, deadline.Token) switch
            {
                InstallAnswer.NotFromOrigin => Empty(403),
                InstallAnswer.ToSlack to => ToSlack(to),
                var shown => Page(InstallPage.Of(shown)!.Value),
            };
        }
        catch (Exception e)
        {
            events.InstallationFailed(request.RequestId, e);
            return Page(InstallPage.Of(new InstallAnswer.OpenAgain())!.Value);
        }
    }

    private Task<APIGatewayHttpApiV2ProxyResponse> Foreign()
    {
        events.Foreign();
        return Task.FromResult(Empty(400));
    }

    // Several cookies of one name: which of them would be meant?
    private static string? CookieIn(APIGatewayHttpApiV2ProxyRequest http) =>
        (http.Cookies ?? []).Where(one => one.StartsWith($"{Cookie}=", StringComparison.Ordinal)).ToList() is [var only] ? only[(Cookie.Length + 1)..] : null;

    private static APIGatewayHttpApiV2ProxyResponse ToSlack(InstallAnswer.ToSlack to)
    {
        var answer = Empty(302);
        answer.Headers!["Location"] = to.Url.AbsoluteUri;
        // Lax: Slack's page leads back here, and that is a navigation from another site.
        answer.Cookies = [$"{Cookie}={to.Browser.Text}; Path=/; Max-Age={(long)Slack.InstallAttempt.Lifetime.TotalSeconds}; Secure; HttpOnly; SameSite=Lax"];
        return answer;
    }

    private static APIGatewayHttpApiV2ProxyResponse Page((int Status, string Html) page)
    {
        var answer = Empty(page.Status);
        answer.Headers!["Content-Type"] = "text/html; charset=utf-8";
        answer.Headers["Content-Security-Policy"] = InstallPage.ContentSecurityPolicy;
        answer.Body = page.Html;
        return answer;
    }

    // The address of each answer carries a secret: nobody keeps it, and no other site is told it.
    private static APIGatewayHttpApiV2ProxyResponse Empty(int status) => new()
    {
        StatusCode = status,
        Headers = new Dictionary<string, string>
        {
            ["Cache-Control"] = "no-store",
            ["Referrer-Policy"] = "no-referrer",
            ["X-Content-Type-Options"] = "nosniff",
            ["X-Robots-Tag"] = "noindex, nofollow",
        },
        Body = "",
    };
}

using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Local.SmallSlack;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>Slack's side of what the function calls: response addresses, modals, the App Home and the bot's messages. It refuses what Slack refuses.</summary>
internal sealed class SmallSlack : HttpMessageHandler
{
    private readonly ConcurrentQueue<Call> _calls = [];

    /// <param name="Place">The path of a response address, or a method of the Web API.</param>
    internal sealed record Call(string Place, JsonObject Json);

    public IReadOnlyList<Call> Calls => [.. _calls];

    /// <summary>What a method is answered with instead; null for what Slack says on a good day.</summary>
    public Func<Call, string?> Answers { get; set; } = _ => null;

    /// <summary>What response addresses are answered with.</summary>
    public HttpStatusCode Hook { get; set; } = HttpStatusCode.OK;

    /// <summary>What its answers ask to be left alone for.</summary>
    public TimeSpan? RetryAfter { get; set; }

    public IEnumerable<JsonObject> To(string place) => _calls.Where(call => call.Place == place).Select(call => call.Json);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var json = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!.AsObject();
        var isMethod = request.RequestUri!.Host == "slack.com";
        var call = new Call(isMethod ? request.RequestUri.AbsolutePath["/api/".Length..] : request.RequestUri.AbsolutePath, json);
        var fault = json["view"] is JsonObject view ? SlackLimits.FaultOfView(view)
            : call.Place == "conversations.open" ? null
            : SlackLimits.Fault(json);
        if (isMethod && fault is not null)
            return Answer(HttpStatusCode.OK, new JsonObject { ["ok"] = false, ["error"] = fault.Split(':')[0], ["detail"] = fault }.ToJsonString());
        if (fault is not null)
            return Answer(HttpStatusCode.BadRequest, fault.Split(':')[0]);
        if (isMethod && request.Headers.Authorization?.Parameter != SlackFixture.BotTokenText)
            return Answer(HttpStatusCode.OK, """{"ok":false,"error":"invalid_auth"}""");
        if (Answers(call) is { } said)
            return Answer(HttpStatusCode.OK, said);
        _calls.Enqueue(call);
        if (!isMethod)
            return Answer(Hook, Hook == HttpStatusCode.OK ? "ok" : "");
        return Answer(HttpStatusCode.OK,
            call.Place == "conversations.open" ? """{"ok":true,"channel":{"id":"D1"}}"""
            : call.Place.StartsWith("views.", StringComparison.Ordinal) ? """{"ok":true,"view":{"id":"V1"}}"""
            : """{"ok":true,"channel":"D1","ts":"1700000000.000100"}""");
    }

    private HttpResponseMessage Answer(HttpStatusCode status, string body)
    {
        var answer = new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        answer.Headers.RetryAfter = RetryAfter is { } pause ? new(pause) : null;
        return answer;
    }
}

namespace ControlPlane.Tests.SlackHandler;

/// <summary>Sends what goes to Slack to a loopback server, in plain HTTP.</summary>
/// <param name="endpoint">Host and port.</param>
internal sealed class ToPlainHttp(string endpoint) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.RequestUri = new Uri($"http://{endpoint}{request.RequestUri!.PathAndQuery}");
        return base.SendAsync(request, cancellationToken);
    }
}

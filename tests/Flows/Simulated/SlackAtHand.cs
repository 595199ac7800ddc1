namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>Leads what goes to Slack to the small one on this machine, in plain HTTP.</summary>
internal sealed class SlackAtHand(Uri endpoint, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.RequestUri = new(endpoint, request.RequestUri!.PathAndQuery);
        return base.SendAsync(request, cancellationToken);
    }
}

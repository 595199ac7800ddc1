using ControlPlane.Local.Panel;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.Hub;

/// <summary>The environment of a function: what the template says, with this machine's names for what it refers to.</summary>
internal sealed class FunctionEnvironment(
    TemplateReader template, Stores stores, RunOptions options, Uri controlPlane, Uri privateApi, RoutingTable routing, LocalAuthority authority, Uri slack)
{
    public IReadOnlyDictionary<string, string?> Of(TemplateFunction function)
    {
        var values = new TemplateValues(template, References(), Attributes());
        var environment = function.Environment.ToDictionary(variable => variable.Key, variable => (string?)values.Resolve(variable.Value));
        foreach (var (name, value) in Machine())
            environment[name] = value;
        if (function.Id == PanelBalancer.Function)
            environment["SSL_CERT_FILE"] = authority.File;      // its load balancer is played, whoever Slack is
        return environment;
    }

    private Dictionary<string, string> References()
    {
        var references = new Dictionary<string, string>(stores.Tables)
        {
            ["ControlPlaneUrl"] = controlPlane.ToString().TrimEnd('/'),
            ["OutcomesUrl"] = new Uri(privateApi, "/outcomes/execution").ToString(),
        };
        foreach (var (id, queue) in stores.Queues)
            references[id] = queue.Url;
        foreach (var id in template.Secrets)
            references[id] = id;
        foreach (var (name, value) in PanelBalancer.Parameters)
            references[name] = value;
        return references;
    }

    private Dictionary<string, string> Attributes() => stores.Queues.ToDictionary(queue => $"{queue.Key}.Arn", queue => queue.Value.Arn);

    private Dictionary<string, string?> Machine() => new()
    {
        ["AWS_REGION"] = options.Region,
        ["AWS_DEFAULT_REGION"] = options.Region,
        ["AWS_ACCESS_KEY_ID"] = "local",
        ["AWS_SECRET_ACCESS_KEY"] = "local",
        ["AWS_SESSION_TOKEN"] = null,
        ["AWS_PROFILE"] = null,
        ["AWS_ENDPOINT_URL_DYNAMODB"] = stores.Dynamo.Endpoint.ToString(),
        ["AWS_ENDPOINT_URL_SQS"] = stores.QueueServer.Endpoint.ToString(),
        ["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = stores.Secrets.Endpoint.ToString(),
        ["CONNECT_ROUTES"] = routing.Setting,
        // The real Slack has a certificate of the world's, and is its own page of consent.
        ["SSL_CERT_FILE"] = options.SlackHost is null ? authority.File : null,
        ["SLACK_URL"] = options.SlackHost is null ? slack.ToString() : null,
        // A proxy of the reader's shell is not for calls on loopback.
        ["HTTP_PROXY"] = null,
        ["HTTPS_PROXY"] = null,
        ["ALL_PROXY"] = null,
        ["http_proxy"] = null,
        ["https_proxy"] = null,
        ["all_proxy"] = null,
        // Short-lived processes on few cores: compile quickly rather than well.
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_gcServer"] = "0",
    };
}

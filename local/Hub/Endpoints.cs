using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Local.Preparation;

namespace ControlPlane.Local.Hub;

/// <summary><c>endpoints.json</c> in the state folder: where everything is, for tools, for as long as the control plane runs.</summary>
internal sealed class Endpoints : IAsyncDisposable
{
    private readonly string _file;

    private Endpoints(string file) => _file = file;

    public static Endpoints Write(string folder, LocalControlPlane local)
    {
        var file = Path.Combine(folder, "endpoints.json");
        StateFolder.Write(file, new JsonObject
        {
            ["process_id"] = Environment.ProcessId,
            ["public_api"] = Plain(local.PublicApi.Endpoint),
            ["private_api"] = Plain(local.PrivateApi.Endpoint),
            ["control_plane_url"] = Plain(local.ControlPlaneUrl),
            ["dynamodb"] = Plain(local.Dynamo.Endpoint),
            ["sqs"] = Plain(local.QueueServer.Endpoint),
            ["secrets_manager"] = Plain(local.Secrets.Endpoint),
            ["panel"] = Plain(local.Panel.Endpoint),
            ["slack"] = Plain(local.Slack.Endpoint),
            ["region"] = local.Region,
            ["tables"] = Texts(local.Tables.Select(table => (table.Key, table.Value))),
            ["queues"] = Texts(local.Queues.Select(queue => (queue.Key, queue.Value.Url))),
            ["secrets"] = Texts(local.Template.Secrets.Select(secret => (secret, secret))),
            ["logs"] = local.Logs.Folder,
        }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return new(file);
    }

    public ValueTask DisposeAsync()
    {
        File.Delete(_file);
        return ValueTask.CompletedTask;
    }

    private static string Plain(Uri endpoint) => endpoint.ToString().TrimEnd('/');

    private static JsonObject Texts(IEnumerable<(string Name, string Value)> members) =>
        new(members.Select(member => KeyValuePair.Create(member.Name, (JsonNode?)member.Value)));
}

using System.Text.Json.Nodes;
using ControlPlane.Local.Loopback;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.Secrets;

/// <summary>The part of Secrets Manager that functions and tools use, in its own protocol (JSON 1.1), on 127.0.0.1.</summary>
internal sealed class SecretsServer : IAsyncDisposable
{
    private readonly LoopbackServer _server;

    private SecretsServer(LoopbackServer server, SecretVault vault) => (_server, Vault) = (server, vault);

    public Uri Endpoint => _server.Endpoint;

    public SecretVault Vault { get; }

    /// <param name="file">Keeps the secrets over a restart; null keeps nothing.</param>
    public static async Task<SecretsServer> StartAsync(string? file, TimeProvider clock)
    {
        var vault = new SecretVault(file, clock);
        return new(await LoopbackServer.StartAsync(http => AnswerAsync(http, vault)), vault);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static async Task AnswerAsync(HttpContext http, SecretVault vault)
    {
        var action = http.Request.Headers["x-amz-target"].ToString().Split('.').Last();
        var asked = await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted) as JsonObject ?? [];
        JsonObject answer;
        try { answer = Answer(action, asked, vault); }
        catch (SecretNotFound e) { answer = Refuse(http, "ResourceNotFoundException", e.Message); }
        catch (SecretVersionTaken e) { answer = Refuse(http, "ResourceExistsException", e.Message); }

        http.Response.ContentType = "application/x-amz-json-1.1";
        await http.Response.WriteAsync(answer.ToJsonString(), http.RequestAborted);
    }

    private static JsonObject Answer(string action, JsonObject asked, SecretVault vault)
    {
        var name = (string?)asked[action == "CreateSecret" ? "Name" : "SecretId"] ?? "";
        if (name.StartsWith("arn:", StringComparison.Ordinal))
            name = name.Split(':').Last();
        switch (action)
        {
            case "GetSecretValue":
                var found = vault.Get(name, (string?)asked["VersionId"], (string?)asked["VersionStage"]);
                var value = Describe(name, found);
                value["SecretString"] = found.Text;
                value["CreatedDate"] = found.Created.ToUnixTimeMilliseconds() / 1000.0;
                return value;
            case "PutSecretValue":
                var stages = (asked["VersionStages"] as JsonArray)?.Select(stage => (string)stage!).ToArray();
                return Describe(name, vault.Put(name, (string?)asked["SecretString"] ?? "", (string?)asked["ClientRequestToken"], stages));
            case "CreateSecret":
                if (vault.VersionsOf(name).Count > 0)
                    throw new SecretVersionTaken($"The operation failed because the secret {name} already exists.");
                return Describe(name, vault.Put(name, (string?)asked["SecretString"] ?? "", (string?)asked["ClientRequestToken"], create: true));
            case "DescribeSecret":
                vault.Get(name, null, null);
                var all = new JsonObject();
                foreach (var version in vault.VersionsOf(name).Where(one => one.Stages.Count > 0))
                    all[version.VersionId] = Stages(version);
                return new() { ["ARN"] = Arn(name), ["Name"] = name, ["VersionIdsToStages"] = all };
            default:
                throw new SecretNotFound($"{action} is not served here.");
        }
    }

    private static JsonObject Describe(string name, SecretVersion version) =>
        new() { ["ARN"] = Arn(name), ["Name"] = name, ["VersionId"] = version.VersionId, ["VersionStages"] = Stages(version) };

    private static JsonArray Stages(SecretVersion version) => [.. version.Stages.Select(stage => JsonValue.Create(stage))];

    private static string Arn(string name) => $"arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}";

    private static JsonObject Refuse(HttpContext http, string type, string message)
    {
        http.Response.StatusCode = StatusCodes.Status400BadRequest;
        http.Response.Headers["x-amzn-errortype"] = type;
        return new() { ["__type"] = type, ["message"] = message };
    }
}

using System.Text.Json.Nodes;
using Amazon.DynamoDBv2;
using ControlPlane.Aws;

namespace ControlPlane.Tests.Operator;

/// <summary>What <c>./run</c> would leave for one region.</summary>
internal sealed class Region : IDisposable
{
    private readonly string _endpoints;

    public Region(OperatorFixture fixture, string name)
    {
        Fixture = fixture;
        var written = JsonNode.Parse(File.ReadAllText(Path.Combine(fixture.Folder, "endpoints.json")))!.AsObject();
        written["region"] = name;
        written.Remove("control_plane_url");        // nobody answers there
        _endpoints = written.ToJsonString();
        Start();
    }

    public OperatorFixture Fixture { get; }

    public IAmazonDynamoDB Client => Fixture.Tables.Client;

    public string Folder { get; } = Directory.CreateTempSubdirectory("ctl-region-").FullName;

    public void Start() => File.WriteAllText(Path.Combine(Folder, "endpoints.json"), _endpoints);

    public void Stop() => File.Delete(Path.Combine(Folder, "endpoints.json"));

    public Task<string?> OwnerAsync() =>
        new QuotaLedger(Client, Fixture.Tables.Quotas).OwnerAsync(OperatorFixture.Seven, TestContext.Current.CancellationToken);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

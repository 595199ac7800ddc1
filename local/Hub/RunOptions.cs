using System.Net;
using ControlPlane.Local.DynamoDb;

namespace ControlPlane.Local.Hub;

/// <param name="State">The folder that survives a restart.</param>
/// <param name="Port">Of the public API; 0 takes a free one, as does 0 for the private.</param>
/// <param name="Empty">Without demo data.</param>
/// <param name="Engines">Other engines than the small one built in, by tenant id.</param>
/// <param name="Source">Whom a caller of the private API from 127.0.0.1 stands for.</param>
/// <param name="Published">A folder with published functions, <c>DIR/&lt;project&gt;/bootstrap</c>; null runs the build output.</param>
/// <param name="Region">Where its functions believe they are.</param>
/// <param name="Tables">The tables of another that runs: two regions of one control plane. Null for tables of its own.</param>
/// <param name="SlackHost">The public host of a tunnel to the public API: Slack itself is at the other end, not the small one. Null for the small one.</param>
/// <param name="PanelPort">Of the admin panel; 0 takes a free one.</param>
/// <param name="Machines">How many tenants have a machine with the metering sidecar, at most; of the others somebody else makes the heartbeats.</param>
/// <param name="Install">Missing programs may be installed without a question.</param>
internal sealed record RunOptions(
    string State, int Port, int PrivatePort, bool Empty, IReadOnlyDictionary<string, IPEndPoint> Engines, IPAddress Source, string? Published,
    string? SlackHost = null, bool Install = false, int PanelPort = 0, string Region = RunOptions.Primary, DynamoDbLocal? Tables = null,
    int Machines = int.MaxValue)
{
    /// <summary>As serverless.template has it.</summary>
    public const string Primary = "us-east-1";
}

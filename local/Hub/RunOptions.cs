using System.Net;

namespace ControlPlane.Local.Hub;

/// <param name="State">The folder that survives a restart.</param>
/// <param name="Port">Of the public API; 0 takes a free one, as does 0 for the private.</param>
/// <param name="Empty">Without demo data.</param>
/// <param name="Engines">Other engines than the small one built in, by tenant id.</param>
/// <param name="Source">Whom a caller of the private API from 127.0.0.1 stands for.</param>
/// <param name="Published">A folder with published functions, <c>DIR/&lt;project&gt;/bootstrap</c>; null runs the build output.</param>
/// <param name="Install">Missing programs may be installed without a question.</param>
internal sealed record RunOptions(
    string State, int Port, int PrivatePort, bool Empty, IReadOnlyDictionary<string, IPEndPoint> Engines, IPAddress Source, string? Published,
    bool Install = false);

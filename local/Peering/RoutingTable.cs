using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using ControlPlane.Local.Preparation;

namespace ControlPlane.Local.Peering;

/// <summary>The peered network on one machine: which loopback address stands for which address of the network.</summary>
/// <remarks>
/// Both ways. Out: a function dials <c>10.142.1.10:5678</c> as it is written, and its CONNECT_ROUTES says where that really is. In: the whole of
/// 127.0.0.0/8 is this machine, so a caller that binds <c>127.142.1.10</c> stands for <c>10.142.1.10</c>; a caller from 127.0.0.1 stands for the default
/// source.
/// </remarks>
/// <param name="file">Where the functions read the routes, at every dial.</param>
internal sealed class RoutingTable(IPAddress defaultSource, string file)
{
    private readonly ConcurrentDictionary<string, string> _routes = [];

    /// <param name="dialled">Host and port as a function writes them.</param>
    public void Add(string dialled, int loopbackPort) => Add(dialled, new IPEndPoint(IPAddress.Loopback, loopbackPort));

    public void Add(string dialled, IPEndPoint to)
    {
        _routes[dialled] = to.ToString();
        Write();
    }

    /// <summary>Lets a host outside of this machine be dialled under its own name.</summary>
    public void AddAsItIs(string dialled)
    {
        _routes[dialled] = dialled;
        Write();
    }

    public void Remove(string dialled)
    {
        _routes.TryRemove(dialled, out _);
        Write();
    }

    /// <summary>As the setting CONNECT_ROUTES has it.</summary>
    public string Setting => $"@{file}";

    /// <summary>The network address that a loopback caller stands for.</summary>
    public IPAddress SourceOf(IPAddress caller) =>
        caller.GetAddressBytes() is [127, not 0, var third, var fourth] octets ? new IPAddress([10, octets[1], third, fourth]) : defaultSource;

    /// <summary>The loopback address from which a caller stands for a network address.</summary>
    public static IPAddress StandInFor(IPAddress address) => address.GetAddressBytes() is [10, var second, var third, var fourth]
        ? new([127, second, third, fourth])
        : throw new ArgumentException($"{address} is not in 10.0.0.0/8.", nameof(address));

    /// <param name="text"><c>127.0.0.1:5678</c>: a loopback address and port.</param>
    public static bool TryParseEndpoint(string text, out IPEndPoint endpoint)
    {
        var parsed = IPEndPoint.TryParse(text.Replace("localhost", "127.0.0.1", false, CultureInfo.InvariantCulture), out var found);
        endpoint = found!;
        return parsed && found!.Port > 0 && IPAddress.IsLoopback(found.Address);
    }

    private void Write() => StateFolder.Write(file, string.Join(',', _routes.Select(route => $"{route.Key}={route.Value}")));
}

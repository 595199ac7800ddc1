using System.Globalization;

namespace ControlPlane.Local.Processes;

/// <summary>Waits for a server's first line, which is its port, and keeps what else it says for the error when it never comes.</summary>
internal sealed class PortAnnouncement
{
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _said = [];

    public void Line(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            _port.TrySetResult(port);
        else lock (_said) _said.Add(text);
    }

    public async Task<int> PortOfAsync(ChildProcess server, string name, TimeSpan patience)
    {
        var late = Task.Delay(patience);
        if (await Task.WhenAny(_port.Task, server.Ended, late) == _port.Task)
            return await _port.Task;
        await server.DisposeAsync();
        lock (_said) throw new InvalidOperationException($"{name} did not start. It said:\n{string.Join('\n', _said.TakeLast(20))}");
    }
}

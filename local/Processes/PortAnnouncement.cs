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

    /// <summary>Longer than the busiest machine takes: only a server that hangs is given up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <exception cref="CannotStart">The server ended, or hangs; the message carries what it said.</exception>
    public async Task<int> PortOfAsync(ChildProcess server, string name, CancellationToken cancel)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        late.CancelAfter(Patience);
        try
        {
            if (await Task.WhenAny(_port.Task, server.Ended).WaitAsync(late.Token) == _port.Task)
                return await _port.Task;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested) { }    // it hangs
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        await server.DisposeAsync();
        lock (_said) throw new CannotStart($"{name} did not start. It said:\n{string.Join('\n', _said.TakeLast(20))}");
    }
}

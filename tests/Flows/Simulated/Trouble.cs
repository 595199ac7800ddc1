using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>Decides which call of a step goes wrong.</summary>
internal sealed class Trouble
{
    private readonly Lock _lock = new();
    private int _left;
    private Fault _fault;

    /// <summary>What went wrong in the step, and with which call; null when nothing did.</summary>
    public string? Happened { get; private set; }

    /// <param name="call">Counted from here; 0 for none. A step with fewer calls goes well.</param>
    public void Await(int call, Fault fault) => (_left, _fault, Happened) = (call, fault, null);

    public Fault? Next(SeamCall call)
    {
        lock (_lock)
        {
            if (_left == 0 || --_left > 0)
                return null;
            Happened = $"[{_fault} at {call.Operation}]";
            return _fault;
        }
    }
}

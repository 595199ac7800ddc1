namespace ControlPlane.DpDispatcher;

/// <summary>What is to become of a dispatch message.</summary>
internal abstract record DispatchResult
{
    private DispatchResult() { }

    /// <summary>It has done its work, or there was none.</summary>
    public sealed record Done : DispatchResult;

    /// <summary>It comes again after the pause.</summary>
    public sealed record Again(TimeSpan Pause) : DispatchResult;

    /// <summary>It belongs among the dead letters: it comes again until the queue moves it there.</summary>
    public sealed record Dead : DispatchResult;
}

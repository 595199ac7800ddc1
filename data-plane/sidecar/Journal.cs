namespace ControlPlane.Sidecar;

/// <summary>One line an event, for the system's journal, which adds the time.</summary>
internal sealed class Journal(TextWriter output)
{
    /// <param name="text">Of our own making but for the control plane's codes; those could carry line ends.</param>
    public void Say(string text) => output.WriteLine(text.ReplaceLineEndings(" "));
}

namespace ControlPlane.Local.Hub;

/// <summary>The state folder is used by one control plane at a time.</summary>
internal static class StateFolder
{
    /// <exception cref="InvalidOperationException">Another control plane has it.</exception>
    public static IAsyncDisposable Claim(string folder)
    {
        try { return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
        catch (IOException) { throw new InvalidOperationException($"Another control plane is running on {folder}: stop it, or name another folder with --state."); }
    }
}

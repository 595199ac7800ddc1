namespace ControlPlane.Local.Processes;

/// <summary>Something that the reader can mend. The message says what is wrong, with the name of the file, port or program, and the way out.</summary>
internal sealed class CannotStart(string message) : Exception(message);

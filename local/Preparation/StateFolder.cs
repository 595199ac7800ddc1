using ControlPlane.Local.Processes;

namespace ControlPlane.Local.Preparation;

/// <summary>The folder that survives a restart. One control plane uses it at a time, and nobody else reads it: secrets lie in it.</summary>
internal static class StateFolder
{
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite, OwnersFolder = OwnersFile | UnixFileMode.UserExecute;

    /// <exception cref="CannotStart">It is no folder, may not be written, or another control plane has it.</exception>
    public static IAsyncDisposable Claim(string folder)
    {
        if (File.Exists(folder))
            throw new CannotStart($"{folder} is a file, and the state is kept in a folder: name one with --state.");
        var held = Path.Combine(folder, "lock");
        try
        {
            // A folder that was there keeps its mode, for it may serve more than this; what is secret in it is closed file by file.
            if (!Directory.Exists(folder))
                CreateFolder(folder);
            return new FileStream(held, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (IsHeld(e))
        {
            throw new CannotStart($"Another control plane is running on {folder}: stop it, or name another folder with --state.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CannotStart($"The state cannot be kept in {folder}: {e.Message} Name another folder with --state.");
        }
    }

    // EWOULDBLOCK of Linux and macOS, ERROR_SHARING_VIOLATION of Windows.
    private static bool IsHeld(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020);

    /// <summary>A folder that only its owner enters.</summary>
    public static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        Directory.CreateDirectory(folder, OwnersFolder);
        File.SetUnixFileMode(folder, OwnersFolder);
    }

    /// <summary>Writes a file whole or not at all, for its owner's eyes.</summary>
    public static void Write(string file, string text)
    {
        using (var unfinished = new StreamWriter(Open(file + ".new", FileMode.Create)))
            unfinished.Write(text);
        File.Move(file + ".new", file, overwrite: true);
    }

    /// <summary>Opens a file for its owner's eyes, to write.</summary>
    public static FileStream Open(string file, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnersFile;
        var opened = new FileStream(file, options);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(opened.SafeFileHandle, OwnersFile);
        return opened;
    }

    /// <summary>What to say of a file that holds something else than was written into it.</summary>
    /// <param name="loss">What is lost without it.</param>
    public static CannotStart Unreadable(string file, string loss) =>
        new($"{file} cannot be read: it is damaged. Put back a copy, or start again without it ({loss}):\n    mv {file} {file}.damaged");
}

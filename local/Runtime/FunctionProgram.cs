namespace ControlPlane.Local.Runtime;

/// <summary>How a function's process is started.</summary>
/// <param name="Arguments">Before nothing else: a function takes none of its own.</param>
internal sealed record FunctionProgram(string Program, IReadOnlyList<string> Arguments, string Folder)
{
    /// <summary>The build output of a function project, run by the shared runtime.</summary>
    /// <param name="project">Its folder, like <c>functions/SlackHandler</c>.</param>
    public static FunctionProgram Built(string root, string project)
    {
        // Built the same way as we were: <root>/<our project>/bin/<configuration>/<framework>.
        var ours = Path.GetRelativePath(root, AppContext.BaseDirectory).Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        var folder = Path.Combine([root, .. project.Split('/'), .. ours.SkipWhile(part => part != "bin")]);
        return new("dotnet", [Path.Combine(folder, project.Split('/').Last() + ".dll")], folder);
    }

    /// <summary>A native executable as it is deployed: <c>DIR/&lt;project&gt;/bootstrap</c>.</summary>
    public static FunctionProgram Published(string folder, string project)
    {
        var own = Path.GetFullPath(Path.Combine(folder, project.Split('/').Last()));
        return new(Path.Combine(own, "bootstrap"), [], own);
    }
}

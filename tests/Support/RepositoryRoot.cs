namespace ControlPlane.Tests.Support;

public static class RepositoryRoot
{
    /// <summary>The folder that holds the solution file, found upwards from the test binary.</summary>
    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ControlPlane.slnx")))
                return folder.FullName;
        throw new InvalidOperationException("ControlPlane.slnx is not above the test binary.");
    }
}

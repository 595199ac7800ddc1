namespace ControlPlane.Local.Preparation;

/// <summary>Where the checkout is, found upwards from the running program.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Template => Path.Combine(Root, "serverless.template");

    /// <summary>Downloads, shared by every run of this checkout and not in version control.</summary>
    public static string Cache => Path.Combine(Root, ".cache");

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ControlPlane.slnx")))
                return folder.FullName;
        throw new InvalidOperationException("ControlPlane.slnx is not above this program: run it from a checkout.");
    }
}

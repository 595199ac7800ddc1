namespace Amazon.Lambda.Annotations;

[AttributeUsage(AttributeTargets.Method)]
public class LambdaFunctionAttribute : Attribute
{
    /// <summary>The function's logical id in the template.</summary>
    public string? ResourceName { get; set; }

    /// <summary>Seconds.</summary>
    public uint Timeout { get; set; }

    /// <summary>MB.</summary>
    public uint MemorySize { get; set; }

    public string? Role { get; set; }

    /// <summary>Names, separated by commas.</summary>
    public string? Policies { get; set; }

    public LambdaPackageType PackageType { get; set; }
}

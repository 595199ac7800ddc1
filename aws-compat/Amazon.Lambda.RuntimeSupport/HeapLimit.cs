using System.Globalization;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>The function's memory size as the garbage collector's limit: .NET does not see what Lambda allows it.</summary>
internal static class HeapLimit
{
    /// <summary>Does nothing outside of Lambda, where a lower limit is set already, or where <c>AWS_LAMBDA_DOTNET_DISABLE_MEMORY_LIMIT_CHECK</c> is
    /// <c>true</c>.</summary>
    public static void Apply()
    {
        if ("true".Equals(Environment.GetEnvironmentVariable("AWS_LAMBDA_DOTNET_DISABLE_MEMORY_LIMIT_CHECK"), StringComparison.OrdinalIgnoreCase))
            return;
        if (!int.TryParse(Environment.GetEnvironmentVariable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), NumberStyles.None, CultureInfo.InvariantCulture,
            out var megabytes))
            return;

        var bytes = (ulong)megabytes << 20;
        if ((ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes < bytes)
            return;
        AppContext.SetData("GCHeapHardLimit", bytes);
        GC.RefreshMemoryLimit();
    }
}

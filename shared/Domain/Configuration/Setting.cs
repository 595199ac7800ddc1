using System.Globalization;

namespace ControlPlane.Configuration;

/// <summary>A setting is missing or unusable. The message names it and goes to whoever deploys.</summary>
public sealed class SettingException(string name, string fault) : Exception($"The setting {name} {fault}.");

/// <summary>Settings from environment variables. A missing one stops the start, before the first event.</summary>
public static class Setting
{
    public static string Required(string name) =>
        Environment.GetEnvironmentVariable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : throw new SettingException(name, "is missing");

    public static string? Optional(string name) => Environment.GetEnvironmentVariable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;

    public static int RequiredCount(string name) =>
        int.TryParse(Required(name), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            ? count
            : throw new SettingException(name, "is not a whole number above zero");

    public static Uri RequiredUrl(string name) =>
        Uri.TryCreate(Required(name), UriKind.Absolute, out var url) && url.Scheme is "https" or "http"
            ? url!
            : throw new SettingException(name, "is not an absolute URL");

    /// <summary>An address as SQS gives it: it ends in the queue's name.</summary>
    public static string RequiredQueueUrl(string name) =>
        RequiredUrl(name) is { AbsolutePath.Length: > 1 } url ? url.OriginalString : throw new SettingException(name, "is not the address of a queue");
}

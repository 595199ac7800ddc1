using System.Collections.ObjectModel;
using Amazon.Runtime;

namespace Amazon.SecretsManager.Internal;

/// <summary>The SDK's defaults modes, of which <c>AWS_DEFAULTS_MODE</c> names one.</summary>
/// <remarks>https://docs.aws.amazon.com/sdkref/latest/guide/feature-smart-config-defaults.html</remarks>
internal static class DefaultConfigurations
{
    public static ReadOnlyCollection<IDefaultConfiguration> All { get; } = new(
    [
        Mode(DefaultConfigurationMode.Standard, 3100),
        Mode(DefaultConfigurationMode.InRegion, 1100),
        Mode(DefaultConfigurationMode.CrossRegion, 3100),
        Mode(DefaultConfigurationMode.Mobile, 30_000),
        Mode(DefaultConfigurationMode.Auto, 1100),
    ]);

    private static DefaultConfiguration Mode(DefaultConfigurationMode name, int connectMilliseconds) => new()
    {
        Name = name,
        RetryMode = RequestRetryMode.Standard,
        S3UsEast1RegionalEndpoint = S3UsEast1RegionalEndpointValue.Regional,
        ConnectTimeout = TimeSpan.FromMilliseconds(connectMilliseconds),
        TlsNegotiationTimeout = TimeSpan.FromMilliseconds(connectMilliseconds),
    };
}

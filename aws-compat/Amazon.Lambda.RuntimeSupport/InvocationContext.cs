using System.Globalization;
using System.Text.Json;
using Amazon.Lambda.Core;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>The context of one event: its headers and the environment, read when somebody asks.</summary>
internal sealed class InvocationContext(InvocationHeaders headers) : ILambdaContext
{
    public string AwsRequestId => headers.RequestId;
    public string InvokedFunctionArn => headers.FunctionArn;
    public string? TraceId => headers.TraceId;
    public string? TenantId => headers.TenantId;
    public TimeSpan RemainingTime => DateTimeOffset.FromUnixTimeMilliseconds(headers.DeadlineMs) - TimeProvider.System.GetUtcNow();

    public string FunctionName => Setting("AWS_LAMBDA_FUNCTION_NAME");
    public string FunctionVersion => Setting("AWS_LAMBDA_FUNCTION_VERSION");
    public string LogGroupName => Setting("AWS_LAMBDA_LOG_GROUP_NAME");
    public string LogStreamName => Setting("AWS_LAMBDA_LOG_STREAM_NAME");
    public int MemoryLimitInMB =>
        int.TryParse(Setting("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), NumberStyles.None, CultureInfo.InvariantCulture, out var mb) ? mb : 0;

    public ILambdaLogger Logger => ConsoleLogger.Instance;
    public ILambdaSerializer? Serializer { get; init; }
    public IClientContext? ClientContext => headers.ClientContext is { Length: > 0 } json ? new CallerContext(json) : null;
    public ICognitoIdentity? Identity => headers.CognitoIdentity is { Length: > 0 } json ? new CallerIdentity(json) : null;

    private static string Setting(string name) => Environment.GetEnvironmentVariable(name) ?? "";

    private static string Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private sealed class ConsoleLogger : ILambdaLogger
    {
        public static readonly ConsoleLogger Instance = new();

        public void Log(string message) => Console.Out.Write(message);
        public void LogLine(string message) => Console.Out.WriteLine(message);
    }

    private sealed class CallerIdentity(string json) : ICognitoIdentity
    {
        private readonly JsonElement _json = JsonElement.Parse(json);

        public string IdentityId => Text(_json, "cognitoIdentityId");
        public string IdentityPoolId => Text(_json, "cognitoIdentityPoolId");
    }

    private sealed class CallerContext(string json) : IClientContext, IClientApplication
    {
        private readonly JsonElement _json = JsonElement.Parse(json);

        public IClientApplication Client => this;
        public IDictionary<string, string> Environment => Texts("env");
        public IDictionary<string, string> Custom => Texts("custom");
        public string AppPackageName => Text(Section("client"), "app_package_name");
        public string AppTitle => Text(Section("client"), "app_title");
        public string AppVersionCode => Text(Section("client"), "app_version_code");
        public string AppVersionName => Text(Section("client"), "app_version_name");
        public string InstallationId => Text(Section("client"), "installation_id");

        private JsonElement Section(string name) =>
            _json.ValueKind == JsonValueKind.Object && _json.TryGetProperty(name, out var section) ? section : default;

        private Dictionary<string, string> Texts(string name) => Section(name) is { ValueKind: JsonValueKind.Object } section
            ? section.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.ToString())
            : [];
    }
}

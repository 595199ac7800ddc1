using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace ControlPlane.Sidecar;

/// <summary>An option is missing or unusable. The message goes to whoever starts the sidecar.</summary>
internal sealed class OptionException(string message) : Exception(message);

/// <summary>What the sidecar is started for.</summary>
internal enum Purpose { Report, ReportOnce, Check, Enrol, MakeKey, ShowKeyIds, ShowHelp }

/// <summary>Options from the command line, else from the environment (<c>--key-file</c> is <c>SIDECAR_KEY_FILE</c>), else from a file of
/// <c>key-file = value</c> lines.</summary>
internal sealed partial record SidecarOptions
{
    public required Purpose Purpose { get; init; }
    public IReadOnlyList<Uri> Urls { get; init; } = [];
    public string Tenant { get; init; } = "";
    public string Instance { get; init; } = "";
    public IReadOnlyList<string> KeyFiles { get; init; } = [];
    public string StateFolder { get; init; } = "";
    public TimeSpan Interval { get; init; }
    public string Nvml { get; init; } = "";
    public string NvidiaSmi { get; init; } = "";
    public IPAddress? SourceAddress { get; init; }

    /// <summary>The one-time code to enrol with, or <see cref="ByAws"/>.</summary>
    public string EnrolBy { get; init; } = "";

    public const string ByAws = "aws";

    public const string Usage = """
        metering-sidecar --url URL --tenant tenant-N --key-file FILE [options]     reports what this machine uses, once a minute
        metering-sidecar --key-file FILE --make-key | --show-key-id                makes a key, shows what the operator registers
        metering-sidecar --enrol CODE | --enrol aws [the same options]             makes a key and has it registered
        metering-sidecar --check [the same options]                                says what is in order and what is not, and reports nothing

          --config FILE         options as lines of "name = value"; /etc/metering-sidecar/sidecar.conf, where there is one
          --url URL             the control plane's private API with its stage
          --failover-url URL    the second region's, for when the first does not answer
          --tenant tenant-N     whose machine this is
          --key-file FILE       Ed25519 key as PKCS#8 PEM that nobody else can read
          --next-key-file FILE  the key that is to replace it: both sign
          --instance ID         this machine's name; on EC2 found by itself
          --state DIR           folder of its own; /var/lib/metering-sidecar, or systemd's STATE_DIRECTORY
          --interval SECONDS    between samples; 60
          --source ADDRESS      local address to call from
          --nvml FILE           NVIDIA's management library; libnvidia-ml.so.1
          --nvidia-smi FILE     NVIDIA's tool, used where the library does not serve; nvidia-smi
          --once                take one sample, deliver all that waits within 30 s, end
          --check               look at options, key, state folder, clock, control plane and GPUs, end
          --enrol CODE          register the key, which is made unless there is one, with the operator's one-time code, end
          --enrol aws           … with this machine's own identity in AWS: its instance role
          --make-key            make the key file, unless there is one, and show key id and public key, end
          --show-key-id         show key id and public key, end
          --help                this text

        Every option is also read from the environment: --key-file as SIDECAR_KEY_FILE. The command line comes first, the file last.
        Ends with 0 when asked to end, with 1 when --once could not deliver, --enrol was refused or --check found something, with 2 for an option that cannot be meant.
        """;

    // Written by cloud-init on EC2; elsewhere the machine needs --instance.
    private const string CloudInstanceFile = "/var/lib/cloud/data/instance-id";

    private const string StandardConfigFile = "/etc/metering-sidecar/sidecar.conf";

    private static readonly string[] WithValue =
        ["config", "url", "failover-url", "tenant", "key-file", "next-key-file", "instance", "state", "interval", "source", "nvml", "nvidia-smi", "enrol"];
    private static readonly string[] Switches = ["once", "check", "make-key", "show-key-id", "help"];

    /// <exception cref="OptionException">Something is missing or unusable.</exception>
    public static SidecarOptions From(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        var given = Read(arguments);
        if (given.ContainsKey("help"))
            return new() { Purpose = Purpose.ShowHelp };
        string? FromEnvironment(string name) => environment($"SIDECAR_{name.Replace('-', '_').ToUpperInvariant()}") is { Length: > 0 } value ? value : null;
        var file = ReadFile(given.GetValueOrDefault("config") ?? FromEnvironment("config"));
        string? Optional(string name) => given.GetValueOrDefault(name) ?? FromEnvironment(name) ?? file.GetValueOrDefault(name);
        string Required(string name) => Optional(name) ?? throw new OptionException($"--{name} is missing.\n{Usage}");

        string[] keyFiles = Optional("next-key-file") is { } next ? [Required("key-file"), next] : [Required("key-file")];
        if (given.ContainsKey("make-key") || given.ContainsKey("show-key-id"))
            return new() { Purpose = given.ContainsKey("make-key") ? Purpose.MakeKey : Purpose.ShowKeyIds, KeyFiles = keyFiles };

        Uri[] urls = Optional("failover-url") is { } second ? [Url(Required("url")), Url(second)] : [Url(Required("url"))];
        var tenant = Required("tenant");
        if (!TenantShape().IsMatch(tenant))
            throw new OptionException("--tenant is not tenant-N with N from 1 to 156.");
        var instance = Optional("instance") ?? CloudInstance()
            ?? throw new OptionException("--instance is missing, and this machine has no cloud instance id.");
        if (!InstanceShape().IsMatch(instance))
            throw new OptionException("--instance is not 1 to 64 of A-Z, a-z, 0-9 and -.");
        if (!int.TryParse(Optional("interval") ?? "60", NumberStyles.None, CultureInfo.InvariantCulture, out var interval) || interval is < 1 or > 3600)
            throw new OptionException("--interval is not 1 to 3600 seconds.");
        IPAddress? source = null;
        if (Optional("source") is { } address && !IPAddress.TryParse(address, out source))
            throw new OptionException("--source is not an IP address.");

        return new()
        {
            Purpose = given.ContainsKey("enrol") ? Purpose.Enrol
                : given.ContainsKey("check") ? Purpose.Check
                : given.ContainsKey("once") ? Purpose.ReportOnce
                : Purpose.Report,
            Urls = urls,
            Tenant = tenant,
            Instance = instance,
            KeyFiles = keyFiles,
            StateFolder = Optional("state") ?? environment("STATE_DIRECTORY") ?? "/var/lib/metering-sidecar",
            Interval = TimeSpan.FromSeconds(interval),
            Nvml = Optional("nvml") ?? "libnvidia-ml.so.1",
            NvidiaSmi = Optional("nvidia-smi") ?? "nvidia-smi",
            SourceAddress = source,
            EnrolBy = given.GetValueOrDefault("enrol") ?? "",
        };
    }

    private static Dictionary<string, string> Read(IReadOnlyList<string> arguments)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i] == "-h" ? "help" : arguments[i].StartsWith("--", StringComparison.Ordinal) ? arguments[i][2..] : "";
            if (Switches.Contains(name))
                given[name] = "";
            else if (WithValue.Contains(name) && i + 1 < arguments.Count)
                given[name] = arguments[++i];
            else
                throw new OptionException($"What is meant by '{arguments[i]}'?\n{Usage}");
        }
        return given;
    }

    /// <param name="path">Null for the standard one, which need not be there.</param>
    private static Dictionary<string, string> ReadFile(string? path)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        if (path is null && !File.Exists(StandardConfigFile))
            return options;
        path ??= StandardConfigFile;
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionException($"The configuration {path} cannot be read: {e.Message}");
        }
        foreach (var (number, line) in lines.Index())
        {
            var text = line.Trim();
            if (text.Length == 0 || text.StartsWith('#'))
                continue;
            if (text.Split('=', 2, StringSplitOptions.TrimEntries) is not [var name, { Length: > 0 } value] || name is "config" or "enrol" || !WithValue.Contains(name))
                throw new OptionException($"{path}:{number + 1}: '{text}' is not \"name = value\" with the name of an option.");
            if (!options.TryAdd(name, value))
                throw new OptionException($"{path}:{number + 1}: {name} is there twice.");
        }
        return options;
    }

    // Nobody between us and the control plane should read a tenant's load; on one machine there is nobody between.
    private static Uri Url(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
            && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)) && url.UserInfo.Length == 0
            ? url
            : throw new OptionException($"'{text}' is not an https URL.");

    private static string? CloudInstance() => File.Exists(CloudInstanceFile) ? File.ReadAllText(CloudInstanceFile).Trim() : null;

    [GeneratedRegex(@"\Atenant-([1-9]|[1-9][0-9]|1[0-4][0-9]|15[0-6])\z")]
    private static partial Regex TenantShape();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9-]{0,63}\z")]
    private static partial Regex InstanceShape();
}

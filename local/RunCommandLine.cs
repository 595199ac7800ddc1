using System.CommandLine;
using System.CommandLine.Help;
using System.Net;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Panel;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Preparation;
using ControlPlane.Tenants;

namespace ControlPlane.Local;

/// <summary>What can be asked of <c>./run</c>.</summary>
internal static class RunCommandLine
{
    public const int Misunderstood = 2;

    /// <returns>0 for a session that ended as it was meant to, 1 when something is in the way, 2 for a command line that cannot be meant, 130 for one that was
    /// stopped before it was ready.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, CancellationToken cancel)
    {
        var given = Root().Parse(args);
        if (given.Errors.Count == 0)
            return await given.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, cancel);
        await Console.Error.WriteLineAsync($"{string.Join('\n', given.Errors.Select(error => $"run: {error.Message}"))}\nSee ./run --help.");
        return Misunderstood;
    }

    public static Command Root()
    {
        var state = new Option<string>("--state")
        {
            Description = "The folder that survives a restart.",
            DefaultValueFactory = _ =>
                Environment.GetEnvironmentVariable("CONTROL_PLANE_STATE") is { Length: > 0 } set ? set : Path.Combine(Repository.Root, ".state"),
            Recursive = true,
        };
        var port = Port("--port", "Port of the public API.", 8080);
        var privatePort = Port("--private-port", "Port of the private API.", 8081);
        var panelPort = Port("--panel-port", "Port of the admin panel; a free one where that is taken.", PanelBalancer.StandardPort);
        var empty = new Option<bool>("--empty") { Description = "Without demo data, and so without playing the flows.", Recursive = true };
        var engine = new Option<string[]>("--engine")
        {
            Description = "A tenant's engine elsewhere on this machine, like tenant-43=127.0.0.1:5678, instead of the built-in one. May be repeated.",
            HelpName = "tenant=address",
            Recursive = true,
        };
        engine.Validators.Add(given =>
        {
            foreach (var text in given.Tokens.Select(token => token.Value).Where(text => EngineIn(text) is null))
                given.AddError($"{text} is not like tenant-43=127.0.0.1:5678, with a loopback address.");
        });
        var source = new Option<IPAddress>("--source")
        {
            Description =
                "The peered address that a caller of the private API from 127.0.0.1 stands for. (A caller from 127.142.1.10 always stands for 10.142.1.10.)",
            CustomParser = given => IPAddress.TryParse(given.Tokens[0].Value, out var address) ? address : Refuse(given),
            DefaultValueFactory = _ => DemoData.Engine.Address,
            Recursive = true,
        };
        var published =
            new Option<string?>("--aot")
            {
                Description = "Run published functions, DIR/<project>/bootstrap, instead of the build output.",
                HelpName = "DIR",
                Recursive = true
            };
        var slackHost = new Option<string?>("--slack-host")
        {
            Description = "Talk to Slack itself, which reaches the public API through a tunnel of this public host. Without it, a small Slack on this machine.",
            HelpName = "HOST",
            Recursive = true,
        };
        slackHost.Validators.Add(given =>
        {
            if (Uri.CheckHostName(given.GetValueOrDefault<string?>()) != UriHostNameType.Dns)
                given.AddError("--slack-host takes a host's name alone, like example.trycloudflare.com.");
        });
        var noDemo = new Option<bool>("--no-demo") { Description = "Serve without playing the flows." };
        var install = new Option<bool>("--install")
        {
            Description = "As root, install Java or Node with apt-get where they are missing, without a question.",
            Recursive = true,
        };

        RunOptions Options(ParseResult given) => new(
            given.GetValue(state)!, given.GetValue(port), given.GetValue(privatePort), given.GetValue(empty),
            (given.GetValue(engine) ?? []).Select(text => EngineIn(text)!.Value).ToDictionary(), given.GetValue(source)!, given.GetValue(published),
            given.GetValue(slackHost), given.GetValue(install), given.GetValue(panelPort));

        var demo = new Command("demo", "Play both flows and exit: 0 if both reached their end.");
        demo.Validators.Add(given =>
        {
            if (given.GetValue(empty))
                given.AddError("The demo plays with its data: leave --empty out.");
            if (given.GetValue(slackHost) is not null)
                given.AddError("The demo's user is one of the small Slack: leave --slack-host out.");
        });
        demo.SetAction((given, cancel) => Session.RunAsync(Options(given), Play.AndExit, cancel));
        var root = new Command("./run", "The whole control plane on this machine, on 127.0.0.1 alone.")
        {
            state, port, privatePort, panelPort, empty, engine, source, published, slackHost, noDemo, install, demo, new HelpOption(),
        };
        root.SetAction((given, cancel) =>
        {
            var isQuiet = given.GetValue(noDemo) || given.GetValue(empty) || given.GetValue(slackHost) is not null;
            return Session.RunAsync(Options(given), isQuiet ? Play.Nothing : Play.AndServe, cancel);
        });
        return root;
    }

    private static Option<int> Port(string name, string description, int standard)
    {
        var port = new Option<int>(name) { Description = $"{description} 0 takes a free one.", DefaultValueFactory = _ => standard, Recursive = true };
        port.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int>() is < 0 or > ushort.MaxValue)
                given.AddError($"{name} is not a port.");
        });
        return port;
    }

    private static KeyValuePair<string, IPEndPoint>? EngineIn(string text) =>
        text.Split('=') is [var tenant, var address] && TenantId.TryParse(tenant, out _) && RoutingTable.TryParseEndpoint(address, out var endpoint)
            ? KeyValuePair.Create(tenant, endpoint)
            : null;

    private static IPAddress? Refuse(System.CommandLine.Parsing.ArgumentResult given)
    {
        given.AddError($"{given.Tokens[0].Value} is not an IP address.");
        return null;
    }
}

using System.CommandLine;
using System.Text.Json;
using ControlPlane.Configuration;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Text;

namespace ControlPlane.Operator.Running;

/// <summary>Runs a command against the control plane that was named, and says what came of it.</summary>
internal sealed class Runner
{
    public const int Done = 0, NotDone = 1, Misunderstood = 2;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly Func<Page> _page;
    private readonly Action _clear;
    private readonly TimeProvider _clock;

    private readonly Option<bool> _local = new("--local")
    {
        Description = "The control plane that ./run runs on this machine; also without it where $CONTROL_PLANE_LOCAL is set.",
        Recursive = true,
    };

    private readonly Option<string?> _state = new("--state")
    {
        Description = "Its state folder; else $CONTROL_PLANE_STATE, else .state. Implies --local.",
        HelpName = "DIR",
        Recursive = true,
    };

    private readonly Option<string?> _stack = new("--stack")
    {
        Description = $"The stack of serverless.template; else $CONTROL_PLANE_STACK, else {StackDeployment.StandardStack}.",
        HelpName = "NAME",
        Recursive = true,
    };

    private readonly Option<string?> _region =
        new("--region") { Description = "Its region; else the AWS profile's or $AWS_REGION.", HelpName = "REGION", Recursive = true };

    private readonly Option<string> _form = TypedArguments.OneOf("--output", "For people, for programs, or (rows of numbers) for spreadsheets.", ["table", "json", Csv], standard: "table");

    private const string Csv = "csv";

    private readonly HashSet<Command> _inRows = [];

    private readonly Option<bool> _watch = new("--watch") { Description = "Look again every two seconds, until Ctrl-C." };

    /// <param name="page">Made when there is something to draw.</param>
    /// <param name="clear">Clears the terminal before what is watched is drawn again; does nothing where there is none.</param>
    public Runner(TextWriter output, TextWriter error, Func<Page> page, Action clear, TimeProvider clock)
    {
        (_output, _error, _page, _clear, _clock) = (output, error, page, clear, clock);
        _form.Recursive = true;
        _local.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<bool>() && (given.GetResult(_stack) is not null || given.GetResult(_region) is not null))
                given.AddError("--local is not on AWS: leave out --stack and --region, or --local.");
        });
    }

    public TimeProvider Clock => _clock;

    public IEnumerable<Option> Options => [_form, _local, _state, _stack, _region];

    public InvocationConfiguration Streams => new() { Output = _output, Error = _error, EnableDefaultExceptionHandler = false };

    /// <summary>Gives a command its work.</summary>
    public Command Runs(Command command, Func<ControlPlaneClient, ParseResult, CancellationToken, Task<Answer>> runAsync)
    {
        command.SetAction((given, cancel) => RunAsync(given, runAsync, cancel));
        return command;
    }

    /// <summary>Gives a command its work, which may be watched: it looks, and changes nothing.</summary>
    public Command Watches(Command command, Func<ControlPlaneClient, ParseResult, CancellationToken, Task<Answer>> runAsync)
    {
        command.Add(_watch);
        return Runs(command, runAsync);
    }

    /// <summary>Gives a command its work, whose answer is rows: <c>--output csv</c> is for it too.</summary>
    public Command RunsInRows(Command command, Func<ControlPlaneClient, ParseResult, CancellationToken, Task<Answer>> runAsync)
    {
        _inRows.Add(command);
        return Runs(command, runAsync);
    }

    /// <summary>Gives a command its work on both regions of a control plane. A region that is gone is no fault: the command decides.</summary>
    /// <param name="primary">The region that is active while nobody has named another, unless the operator names it.</param>
    /// <param name="standbyState">A folder of ./run; where <c>--state</c> or <c>--local</c> is said too.</param>
    public Command RunsOnBoth(
        Command command, string primary, Option<string> standby, Option<string?> standbyState,
        Func<RegionSide, RegionSide, ParseResult, CancellationToken, Task<Answer>> runAsync)
    {
        command.SetAction(async (given, cancel) =>
        {
            var voice = new Voice(this, given);
            try
            {
                var (here, there) = (given.GetValue(_region) ?? primary, given.GetRequiredValue(standby));
                using var first = SideOf(here, () => IsLocal(given) ? LocalDeployment.Read(StateOf(given)) : new StackDeployment(StackOf(given), here));
                using var second = SideOf(there, () => given.GetValue(standbyState) is { } state
                    ? LocalDeployment.Read(state)
                    : IsLocal(given)
                    ? throw new NoDeploymentException("Say where the second region runs: --standby-state.")
                    : new StackDeployment(StackOf(given), there));
                return voice.Say(await runAsync(first, second, given, cancel));
            }
            catch (Exception e)
            {
                voice.Complain(Faults.InWords(e, null));
                return NotDone;
            }
        });
        return command;

        RegionSide SideOf(string region, Func<Deployment> find)
        {
            try
            {
                var deployment = find();
                return new((deployment as LocalDeployment)?.Region ?? region, deployment, null, _clock);
            }
            catch (NoDeploymentException e)
            {
                return new(region, null, e.Message, _clock);
            }
        }
    }

    /// <summary>A text for a program.</summary>
    public int Print(string text)
    {
        _output.WriteLine(text);
        return Done;
    }

    /// <summary>Tells a person who waits how far it is, on the error stream; a program learns it at the end.</summary>
    public void Progress(ParseResult given, string text)
    {
        if (!IsJson(given))
            _error.WriteLine(Plain.Text(text));
    }

    /// <summary>One line on the error stream, in the form that was asked for.</summary>
    public void Complain(ParseResult given, string why) => new Voice(this, given).Complain(why);

    private async Task<int> RunAsync(
        ParseResult given, Func<ControlPlaneClient, ParseResult, CancellationToken, Task<Answer>> runAsync, CancellationToken cancel)
    {
        var voice = new Voice(this, given);
        if (IsCsv(given) && !_inRows.Contains(given.CommandResult.Command))
        {
            voice.Complain("--output csv is for rows of numbers, like those of usage: say table or json.");
            return Misunderstood;
        }
        Deployment? deployment = null;
        try
        {
            deployment = DeploymentOf(given);
            using var hub = new ControlPlaneClient(deployment, _clock);
            return given.GetValue(_watch) ? await WatchAsync() : voice.Say(await runAsync(hub, given, cancel));

            async Task<int> WatchAsync()
            {
                string? last = null;
                while (true)
                {
                    var answer = await runAsync(hub, given, cancel);
                    if (answer is not Answer.Shown shown)
                        return voice.Say(answer);
                    if (shown.ToJson() is var now && now != last)
                    {
                        _clear();
                        voice.Say(shown);
                        last = now;
                    }
                    if (shown.IsFinal)
                        return Done;
                    await Task.Delay(BetweenLooks, _clock, cancel);
                }
            }
        }
        catch (OperationCanceledException) when (given.GetValue(_watch) && cancel.IsCancellationRequested)
        {
            return Done;
        }
        catch (Exception e)
        {
            voice.Complain(Faults.InWords(e, deployment));
            return NotDone;
        }
    }

    /// <summary>Says things in the form that was asked for, with hints that name the control plane that was asked.</summary>
    private sealed class Voice(Runner runner, ParseResult given)
    {
        private readonly bool _asJson = runner.IsJson(given);
        private readonly string _hint = $"{CtlCommandLine.Name} {runner.PlaceOf(given)}";

        public int Say(Answer answer)
        {
            switch (answer)
            {
                case Answer.NotDone refused:
                    Complain(refused.Why);
                    return NotDone;
                case Answer.Shown shown:
                    if (_asJson)
                        runner._output.WriteLine(shown.ToJson());
                    else if (runner.IsCsv(given))
                        runner._output.Write(shown.Rows!.ToCsv());
                    else
                        shown.Draw(runner._page().With(Worded));
                    foreach (var note in _asJson ? [] : shown.Notes)
                        Complain(note);
                    foreach (var warning in shown.Warnings)
                        Write("warning", warning);
                    return shown.IsAlarming ? NotDone : Done;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }

        public void Complain(string why) => Write("error", why);

        private void Write(string kind, string text)
        {
            var words = Plain.Text(Worded(text));
            runner._error.WriteLine(_asJson
                ? JsonSerializer.Serialize(new Dictionary<string, string> { [kind] = words }, LineJson.Default.DictionaryStringString)
                : kind == "warning" ? $"ctl: warning: {words}" : $"ctl: {words}");
        }

        private string Worded(string text) => text.Replace($"{CtlCommandLine.Name} ", _hint, StringComparison.Ordinal);
    }

    // What could not be parsed still says where it was meant to go.
    private bool IsCsv(ParseResult given) => given.GetResult(_form)?.Tokens is [{ Value: Csv }, ..];

    private bool IsJson(ParseResult given) => given.GetResult(_form)?.Tokens is [{ Value: "json" }, ..];

    private string PlaceOf(ParseResult given)
    {
        Option[] places = [_local, _state, _stack, _region];
        var words = places.SelectMany(option => given.GetResult(option) is { Implicit: false } result
            ? result.Tokens.Select(token => Quoted(token.Value)).Prepend(option.Name)
            : []);
        return string.Concat(words.Select(word => $"{word} "));
    }

    private static string Quoted(string word) =>
        word.Any(one => !char.IsAsciiLetterOrDigit(one) && !"/._-:".Contains(one, StringComparison.Ordinal))
            ? $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'"
            : word;

    private Deployment DeploymentOf(ParseResult given) =>
        IsLocal(given) ? LocalDeployment.Read(StateOf(given)) : new StackDeployment(StackOf(given), given.GetValue(_region));

    private string StateOf(ParseResult given) => given.GetValue(_state) ?? Setting.Optional("CONTROL_PLANE_STATE") ?? Path.Combine(Checkout(), ".state");

    private string StackOf(ParseResult given) => given.GetValue(_stack) ?? Setting.Optional("CONTROL_PLANE_STACK") ?? StackDeployment.StandardStack;

    // What is said goes before what is set.
    private bool IsLocal(ParseResult given) =>
        given.GetValue(_local) || given.GetValue(_state) is not null
        || (Setting.Optional("CONTROL_PLANE_LOCAL") is not null && given.GetValue(_stack) is null && given.GetValue(_region) is null);

    /// <summary>The folder that holds the solution, above this program; the current one when there is none.</summary>
    public static string Checkout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ControlPlane.slnx")))
                return folder.FullName;
        return Environment.CurrentDirectory;
    }
}

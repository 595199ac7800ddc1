using System.CommandLine;
using ControlPlane.Configuration;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Deployments;
using ControlPlane.Text;

namespace ControlPlane.Operator.Running;

/// <summary>Runs a command against the control plane that was named, and says what came of it.</summary>
internal sealed class Runner
{
    public const int Done = 0, NotDone = 1, Misunderstood = 2;

    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly Func<Page> _page;
    private readonly TimeProvider _clock;

    private readonly Option<bool> _local = new("--local") { Description = "The control plane that ./run runs on this machine.", Recursive = true };

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

    private readonly Option<string> _form =
        new("--output") { Description = "For people or for programs.", HelpName = "table|json", DefaultValueFactory = _ => "table", Recursive = true };

    /// <param name="page">Made when there is something to draw.</param>
    public Runner(TextWriter output, TextWriter error, Func<Page> page, TimeProvider clock)
    {
        (_output, _error, _page, _clock) = (output, error, page, clock);
        _form.AcceptOnlyFromAmong("table", "json");
        _local.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<bool>() && (given.GetResult(_stack) is not null || given.GetResult(_region) is not null))
                given.AddError("--local is not on AWS: leave out --stack and --region, or --local.");
        });
    }

    public IEnumerable<Option> Options => [_form, _local, _state, _stack, _region];

    public InvocationConfiguration Streams => new() { Output = _output, Error = _error, EnableDefaultExceptionHandler = false };

    /// <summary>Gives a command its work.</summary>
    public Command Runs(Command command, Func<ControlPlaneClient, ParseResult, CancellationToken, Task<Answer>> runAsync)
    {
        command.SetAction((given, cancel) => RunAsync(given, runAsync, cancel));
        return command;
    }

    public void Complain(string why) => _error.WriteLine($"ctl: {Plain.Text(why)}");

    private async Task<int> RunAsync(
        ParseResult given, Func<ControlPlaneClient, ParseResult, CancellationToken, Task<Answer>> runAsync, CancellationToken cancel)
    {
        Deployment? deployment = null;
        try
        {
            deployment = DeploymentOf(given);
            using var hub = new ControlPlaneClient(deployment, _clock);
            return Say(await runAsync(hub, given, cancel), given.GetValue(_form) == "json");
        }
        catch (Exception e)
        {
            Complain(Faults.InWords(e, deployment));
            return NotDone;
        }
    }

    private int Say(Answer answer, bool asJson)
    {
        switch (answer)
        {
            case Answer.NotDone refused:
                Complain(refused.Why);
                return NotDone;
            case Answer.Shown shown:
                if (asJson)
                    _output.WriteLine(shown.ToJson());
                else
                    shown.Draw(_page());
                foreach (var note in asJson ? [] : shown.Notes)
                    Complain(note);
                foreach (var warning in shown.Warnings)
                    Complain($"warning: {warning}");
                return Done;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private Deployment DeploymentOf(ParseResult given) => given.GetValue(_local) || given.GetValue(_state) is not null
        ? LocalDeployment.Read(given.GetValue(_state) ?? Setting.Optional("CONTROL_PLANE_STATE") ?? Path.Combine(Checkout(), ".state"))
        : new StackDeployment(given.GetValue(_stack) ?? Setting.Optional("CONTROL_PLANE_STACK") ?? StackDeployment.StandardStack, given.GetValue(_region));

    /// <summary>The folder that holds the solution, above this program; the current one when there is none.</summary>
    private static string Checkout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ControlPlane.slnx")))
                return folder.FullName;
        return Environment.CurrentDirectory;
    }
}

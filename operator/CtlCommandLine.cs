using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using ControlPlane.Operator.Commands;
using ControlPlane.Operator.Running;

namespace ControlPlane.Operator;

/// <summary>What can be asked of <c>./ctl</c>.</summary>
internal sealed class CtlCommandLine
{
    public const string Name = "./ctl";

    private readonly Runner _runner;
    private readonly Command _root;

    public CtlCommandLine(Runner runner)
    {
        _runner = runner;
        _root = new(Name, "Operates the control plane: a stack on AWS, or with --local a running ./run. docs/operations.md is the runbook.")
        {
            TenantCommands.Build(runner),
            SlackCommands.Build(runner),
            KeyCommands.Build(runner),
            EngineKeyCommand.Build(runner),
            SecretCommands.Build(runner),
            WorkflowCommands.Build(runner),
            GroupCommands.Build(runner),
            ExecutionCommands.Build(runner),
            ScheduleCommands.Build(runner),
            UsageCommand.Build(runner),
            QuotaCommands.Build(runner),
            MeteringCommand.Build(runner),
            InstanceCommands.Build(runner),
            AuditCommand.Build(runner),
            HealthCommand.Build(runner),
            DeadLetterCommands.Build(runner),
            DisasterRecoveryCommands.Build(runner),
            CompletionCommand.Build(runner),
            new HelpOption(),
            new VersionOption(),
        };
        foreach (var option in runner.Options)
            _root.Add(option);
    }

    public Command Root => _root;

    /// <returns>0 when it was done, 1 when it was not, 2 when it could not be understood.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> args, CancellationToken cancel)
    {
        if (CompletionCommand.Suggest(_root, args) is { } suggestions)
            return _runner.Print(string.Join('\n', suggestions));

        // No response files: a value may begin with @.
        var given = _root.Parse(args.Count == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        if (given.Action is not (null or ParseErrorAction))
            return await given.InvokeAsync(_runner.Streams, cancel);

        _runner.Complain(given, $"{Fault(given)} See {Asked(given)} --help.");
        return Runner.Misunderstood;
    }

    private static string Fault(ParseResult given)
    {
        var command = given.CommandResult.Command;
        if (command.Subcommands.Count == 0)
            return Missing(given) is { } missing ? $"{Asked(given)} needs {missing}." : given.Errors[0].Message;
        var choices = string.Join(", ", command.Subcommands.Select(one => one.Name));
        return given.UnmatchedTokens is [var unknown, ..] ? $"{Arguments.TypedArguments.Quote(unknown)} is not one of {choices}." : $"Say what to do: {choices}.";
    }

    /// <summary>The first argument or option that has to be there and is not.</summary>
    private static string? Missing(ParseResult given)
    {
        var command = given.CommandResult.Command;
        var argument = command.Arguments.FirstOrDefault(one => one.Arity.MinimumNumberOfValues > 0 && given.GetResult(one) is not { Tokens.Count: > 0 });
        if (argument is not null)
            return $"<{argument.Name}>: {argument.Description?.TrimEnd('.')}";
        var option = command.Options.FirstOrDefault(one => one.Required && given.GetResult(one) is not { Tokens.Count: > 0 });
        return option is null ? null : $"{option.Name} <{option.HelpName ?? "value"}>: {option.Description?.TrimEnd('.')}";
    }

    private static string Asked(ParseResult given)
    {
        var names = new List<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = given.CommandResult; at is System.CommandLine.Parsing.CommandResult one; at = one.Parent)
            names.Insert(0, one.Command.Name);
        return string.Join(' ', names);
    }
}

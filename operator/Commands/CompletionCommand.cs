using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Running;

namespace ControlPlane.Operator.Commands;

/// <summary><c>completion …</c>: what a shell needs to complete this tool's commands. The shell asks it with <c>[suggest:POSITION] "LINE"</c>.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _ctl() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -F _ctl ctl ./ctl
        """;

    private const string Zsh = """
        #compdef ctl
        _ctl() { compadd -- ${(f)"$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)"} }
        compdef _ctl ctl ./ctl
        """;

    private const string Fish = """
        complete -c ctl -f -a '(set -l line (commandline -cp); set -l tool (string split " " -- $line)[1]; $tool "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'
        """;

    public static Command Build(Runner runner)
    {
        var shell = TypedArguments.OneOfArgument("shell", "Whose.", ["bash", "zsh", "fish"]);
        var command = new Command("completion", "Prints a shell's completions, bash: source <(./ctl completion bash).") { shell };
        command.SetAction(given => runner.Print(given.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish }));
        return command;
    }

    /// <summary>What may stand where the cursor is.</summary>
    /// <param name="args"><c>[suggest:POSITION]</c> or <c>[suggest]</c>, and the line with the tool's own name.</param>
    /// <returns>Null when that is not what is asked.</returns>
    public static IEnumerable<string>? Suggest(Command root, IReadOnlyList<string> args)
    {
        if (args is not [['[', 's', 'u', 'g', 'g', 'e', 's', 't', .. var rest, ']'], ..])
            return null;
        var line = args.Count > 1 ? args[1] : "";
        var cursor = rest is [':', .. var digits] && int.TryParse(digits, out var position) ? Math.Clamp(position, 0, line.Length) : line.Length;
        var typed = line[..cursor];
        var blank = typed.IndexOf(' ', StringComparison.Ordinal);
        var words = blank < 0 ? "" : typed[(blank + 1)..];
        return root.Parse(words).GetCompletions(words.Length).Select(one => one.Label).Where(label => !label.StartsWith("-?", StringComparison.Ordinal)
            && label is not ("/?" or "/h" or "-h")).Distinct(StringComparer.Ordinal);
    }
}

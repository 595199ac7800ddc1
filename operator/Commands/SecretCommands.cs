using System.CommandLine;
using ControlPlane.Audit;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Operator.Secrets;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>secret …</c>: rotates what the control plane proves itself with. No value is ever shown.</summary>
internal static class SecretCommands
{
    private const int LongestValue = 1024;

    public static Command Build(Runner runner) => new("secret", "Secrets: new values, beside those that are still honoured.") { Rotate(runner) };

    private static Command Rotate(Runner runner)
    {
        var name = TypedArguments.OneOfArgument(
            "what", "Which; slack is the app's signing secret, client-id and client-secret its OAuth client's.", [.. SecretPart.All.Select(part => part.Name)]);
        var from =
            new Option<string?>("--from")
            {
                Description = "A file with the new value, - for the input: for slack, client-id and client-secret, which Slack makes.",
                HelpName = "FILE"
            };
        var leaked = new Option<bool>("--leaked") { Description = "Within five minutes the value before is honoured nowhere any more, whatever is still under way with it." };
        return runner.Runs(new("rotate", "Makes a new value and checks it as the functions do. The value before is honoured on for its overlap.") { name, from,
            leaked }, async (hub, given, cancel) =>
        {
            var part = SecretPart.All.First(one => one.Name == given.GetRequiredValue(name));
            if (given.GetValue(from) is null != part.Make is not null)
                return new Answer.NotDone(part.Make is null
                    ? $"Slack makes {part.Name}: take it from the app's settings, and give it with --from FILE, or --from - on the input."
                    : $"{part.Name} is made here: leave out --from.");
            var value = given.GetValue(from) is { } file ? await ReadAsync(file, cancel) : null;
            if (value is { Length: 0 or > LongestValue })
                return new Answer.NotDone($"{given.GetValue(from)} holds no such value.");

            await (await hub.AuditorAsync(cancel)).NoteAsync(
                "secret.rotate", null, part.Name, [AuditedValue.Of("leaked", null, given.GetValue(leaked) ? "yes" : "no")], cancel);
            return await hub.RotationOf(part).RunAsync(value, given.GetValue(leaked), cancel) switch
            {
                Rotated.Made made => Show(part, made),
                Rotated.TooSoon soon => new Answer.NotDone(
                    $"{part.Name} was rotated lately, and the value before is honoured until {Rfc3339.Format(soon.Until)}: rotate after that. If it has leaked, --leaked, which ends what is under way with it."),
                Rotated.Unusable unusable => new Answer.NotDone($"The functions would refuse that, so nothing was written: {unusable.Why}"),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        });
    }

    // A line feed at the end is there because somebody piped a file: no secret of these ends in one.
    private static async Task<string> ReadAsync(string file, CancellationToken cancel) =>
        (file == "-" ? await Console.In.ReadToEndAsync(cancel) : await File.ReadAllTextAsync(file, cancel)).TrimEnd('\r', '\n');

    private static Answer Show(SecretPart part, Rotated.Made made)
    {
        var until = made.Until is { } time ? Rfc3339.Format(time) : null;
        var shown = new SecretRotationView(part.Name, made.VersionId, until, made.Kept);
        return Answer.Show(shown, CtlJson.Default.SecretRotationView, page =>
        {
            page.Line($"{part.Name} has a new value, version {made.VersionId}. {(until is null ? "Within five minutes the value before is honoured nowhere any more." : $"The value before is honoured until {until}.")}");
            page.Line(part.Next);
        }) with
        {
            Warnings =
            [
                .. made.WasMalformed ? ["what stood there could not be read: the functions went on with the value before it."] : Array.Empty<string>(),
                .. made.WasOvertaken
                    ? ["somebody else wrote this secret at the same moment: look at its versions, and rotate again when both are done."]
                    : Array.Empty<string>(),
            ],
        };
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace ControlPlane.Metering;

/// <summary>The name of a machine in a tenant's data plane, such as <c>i-0abc1234def567890</c>: 1 to 64 of A–Z, a–z, 0–9 and -.</summary>
/// <remarks>No underscore and no #: they separate it from its neighbours in message ids and table keys.</remarks>
public readonly partial record struct InstanceId
{
    private readonly string? _value;

    private InstanceId(string value) => _value = value;

    public override string ToString() => _value ?? throw new InvalidOperationException("default(InstanceId) names no instance.");

    public static bool TryParse([NotNullWhen(true)] string? text, out InstanceId id)
    {
        var valid = text is not null && Shape().IsMatch(text);
        id = valid ? new(text!) : default;
        return valid;
    }

    /// <exception cref="FormatException"><paramref name="text"/> is not an instance's name.</exception>
    public static InstanceId Parse(string text) => TryParse(text, out var id) ? id : throw new FormatException("That is not an instance's name.");

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9-]{0,63}\z")]
    private static partial Regex Shape();
}

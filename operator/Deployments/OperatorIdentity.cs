using System.Text.RegularExpressions;
using ControlPlane.Executions;

namespace ControlPlane.Operator.Deployments;

/// <summary>Who an operator is where no AWS says so.</summary>
internal static partial class OperatorIdentity
{
    /// <summary>The user of this machine, without what an id does not hold.</summary>
    public static OperatorId OfThisMachine() =>
        OperatorId.Parse("local:" + (Unusual().Replace(Environment.UserName, "") is { Length: > 0 } name ? name : "unknown"));

    [GeneratedRegex("[^A-Za-z0-9_.@-]")]
    private static partial Regex Unusual();
}

using System.Text.RegularExpressions;

namespace ControlPlane.Tenants;

/// <summary>Who a tenant's machines are to AWS: their account, and the role that its engine hosts have.</summary>
/// <param name="Account">Twelve digits.</param>
/// <param name="EngineRole">The role's name, without path.</param>
public sealed partial record AwsIdentity(string Account, string EngineRole)
{
    public static bool IsAccount(string text) => AccountShape().IsMatch(text);

    public static bool IsRole(string text) => RoleShape().IsMatch(text);

    [GeneratedRegex(@"\A[0-9]{12}\z")]
    private static partial Regex AccountShape();

    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
    [GeneratedRegex(@"\A[A-Za-z0-9+=,.@_-]{1,64}\z")]
    private static partial Regex RoleShape();
}

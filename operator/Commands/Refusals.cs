using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary>What more than one command has to refuse.</summary>
internal static class Refusals
{
    public static Answer.Refused NotRegistered(TenantId tenant) =>
        new($"{tenant} is not registered: ./ctl tenant list shows who is, ./ctl tenant register makes it known.");

    public static Answer.Refused EngineRefused(string engine, TenantId tenant, bool allowPublicSubnet) =>
        new($"{Given.Quote(engine)} is refused: {EngineText.Mend(tenant, allowPublicSubnet)}.");

    public static Answer.Refused WorkspaceTaken(string workspace, TenantId other) =>
        new($"{workspace} speaks for {other}, and a workspace speaks for one tenant: name another, or free it with ./ctl slack unlink {other} {workspace}.");
}

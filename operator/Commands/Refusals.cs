using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary>What more than one command has to refuse.</summary>
internal static class Refusals
{
    public static Answer.NotDone NotRegistered(TenantId tenant) =>
        new($"{tenant} is not registered: ./ctl tenant list shows who is, ./ctl tenant register makes it known.");

    public static Answer.NotDone EngineRefused(string engine, TenantId tenant, bool allowPublicSubnet) =>
        new($"{TypedArguments.Quote(engine)} is refused: {EngineText.Mend(tenant, allowPublicSubnet)}.");

    public static Answer.NotDone WorkspaceTaken(TeamId workspace, TenantId other) =>
        new($"{workspace} speaks for {other}, and a workspace speaks for one tenant: name another, or free it with ./ctl slack unlink {other} {workspace}.");
}

using ControlPlane.Audit;

namespace ControlPlane.AdminPanel.Identity;

/// <summary>In order: who has the higher may do what the lower may.</summary>
public enum Role { Viewer, Operator }

/// <summary>Somebody whom the load balancer vouches for, and who may come in.</summary>
/// <param name="Issuer">The identity provider: of two, one subject is two people.</param>
/// <param name="Mail">As the identity provider has it; null where it does not say.</param>
public sealed record Visitor(string Issuer, string Subject, string? Mail, Role Role)
{
    public Actor Actor => Actor.OfSubject(Subject);

    public string Name => Mail ?? Subject;

    public bool MayChange => Role == Role.Operator;
}

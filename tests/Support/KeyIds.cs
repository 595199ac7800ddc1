using ControlPlane.Tenants;

namespace ControlPlane.Tests.Support;

/// <summary>Ids of keys that no test has: as long as a thumbprint is.</summary>
public static class KeyIds
{
    public static KeyId Of(string name) => KeyId.Parse(name.PadRight(43, '-'));
}

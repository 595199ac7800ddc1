using ControlPlane.AdminPanel.Identity;

namespace ControlPlane.AdminPanel.Look;

/// <summary>A page that only says something.</summary>
public sealed record Message(string Title, string Words, Visitor? Visitor);

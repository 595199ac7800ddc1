using ControlPlane.ColdStart;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;

namespace ControlPlane.Peers;

/// <summary>Whose function it is.</summary>
internal abstract record Side(string Name)
{
    /// <summary>The function of the template, as this side is asked for it.</summary>
    public virtual TemplateFunction As(TemplateFunction function) => function;

    /// <param name="entry">The function of the peers, <c>commands</c> or <c>heartbeats</c>; ours knows its own by the handler.</param>
    public abstract FunctionProgram ProgramOf(TemplateFunction function, string entry);

    /// <summary>The size of what is uploaded.</summary>
    public abstract long PackageBytes(TemplateFunction function, string entry);
}

/// <summary>Ours, published with Native AOT.</summary>
internal sealed record OurSide(string Published) : Side("ours")
{
    public override FunctionProgram ProgramOf(TemplateFunction function, string entry) => FunctionProgram.Published(Published, function.Project);

    public override long PackageBytes(TemplateFunction function, string entry) => Publishing.ZippedBytes(ProgramOf(function, entry).Folder);
}

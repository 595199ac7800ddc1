using Microsoft.CodeAnalysis;

namespace Amazon.Lambda.Annotations.SourceGenerator;

/// <summary>Stands where the official package has its generator, and must not run: it fails every compilation that loads it, as that one fails each of our
/// functions.</summary>
[Generator]
public sealed class AnnotationsGenerator : IIncrementalGenerator
{
    private static readonly DiagnosticDescriptor Ran =
        new(
            "AWSLambda0108", "The generator of Amazon.Lambda.Annotations ran", "The generator of Amazon.Lambda.Annotations ran", "Build",
            DiagnosticSeverity.Error, isEnabledByDefault: true);

    public void Initialize(IncrementalGeneratorInitializationContext context) =>
        context.RegisterSourceOutput(context.CompilationProvider, (output, _) => output.ReportDiagnostic(Diagnostic.Create(Ran, Location.None)));
}

using ControlPlane.Operator;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;

var isTerminal = !Console.IsOutputRedirected;
var page = new Lazy<Page>(() => Page.On(Console.Out, isTerminal, isTerminal ? Math.Max(Console.WindowWidth, 80) : 0));
return await new CtlCommandLine(new Runner(Console.Out, Console.Error, () => page.Value, TimeProvider.System)).RunAsync(args, CancellationToken.None);

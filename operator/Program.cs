using ControlPlane.Configuration;
using ControlPlane.Operator;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;

const int narrowest = 40;
var isTerminal = !Console.IsOutputRedirected;
var isDecorated = isTerminal && Setting.Optional("NO_COLOR") is null;       // https://no-color.org
var page = new Lazy<Page>(() => Page.On(Console.Out, isTerminal, isTerminal ? Math.Max(Console.WindowWidth, narrowest) : 0, isDecorated));
var runner = new Runner(Console.Out, Console.Error, () => page.Value, clear: () => { if (isTerminal) Console.Clear(); }, TimeProvider.System);
return await new CtlCommandLine(runner).RunAsync(args, CancellationToken.None);

using System.CommandLine;
using ControlPlane.ColdStart;

var runs = new Option<int>("--runs") { Description = "Fresh processes of each function.", DefaultValueFactory = _ => 5 };
var invocations = new Option<int>("--invocations") { Description = "Invocations of each process after its first.", DefaultValueFactory = _ => 30 };
var published = new Option<string?>("--published") { Description = "Measure what was published before, DIR/<project>/bootstrap.", HelpName = "DIR" };
var once =
    new Option<string?>("--once") { Description = "Only start each published function, hand it one event, and exit 0 if all answered.", HelpName = "DIR" };
var save = new Option<string?>("--save") { Description = "Write the table to this file too.", HelpName = "FILE" };
var tls = new Option<bool>("--tls") { Description = "Tables, queues and secrets are behind TLS, as on AWS." };
var share = new Option<int?>("--share") { Description = "Each process has as much of a core as Lambda gives with so much memory; Linux, as root.", HelpName = "MB" };

var root = new RootCommand("What a cold start of each function costs, beside an empty Native AOT function.") { runs, invocations, published, once, save, tls, share };
root.SetAction(async (given, cancel) =>
{
    if (given.GetValue(once) is { } folder) return await Bench.TryOnceAsync(folder, cancel);
    return await Bench.MeasureAsync(
        given.GetValue(published) ?? await Publishing.PublishAsync(cancel), given.GetValue(runs), given.GetValue(invocations),
        given.GetValue(tls), given.GetValue(share), given.GetValue(save), cancel);
});
return await root.Parse(args).InvokeAsync();

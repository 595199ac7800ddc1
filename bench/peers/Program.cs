using System.CommandLine;
using ControlPlane.ColdStart;
using ControlPlane.Local.Processes;
using ControlPlane.Peers;

var runs = new Option<int>("--runs") { Description = "Fresh processes of each side for each event, in turns.", DefaultValueFactory = _ => 5 };
var invocations = new Option<int>("--invocations") { Description = "Events of each process after its first.", DefaultValueFactory = _ => 300 };
var nodes = new Option<int[]>("--node")
{ Description = "Versions of Node.js beside ours: 20, 22, 24.", DefaultValueFactory = _ => NodePeer.Versions, AllowMultipleArgumentsPerToken = true };
var published = new Option<string?>("--published") { Description = "Measure what was published before, DIR/<project>/bootstrap.", HelpName = "DIR" };
var once = new Option<bool>("--once") { Description = "Only check that each side answers each event, and writes what it should." };
var save = new Option<string?>("--save") { Description = "Write the tables to this file too.", HelpName = "FILE" };
nodes.AcceptOnlyFromAmong([.. NodePeer.Versions.Select(version => $"{version}")]);

var root = new RootCommand("The same commands and heartbeats through our functions, and through Bolt and the AWS SDK on Node.js.")
{ runs, invocations, nodes, published, once, save };
root.SetAction(async (given, cancel) =>
{
    try
    {
        var peers = await NodePeer.PrepareAsync(given.GetValue(nodes)!, cancel);
        return await PeerBench.RunAsync(
            given.GetValue(published) ?? await Publishing.PublishAsync(cancel), peers,
            given.GetValue(once) ? null : new(given.GetValue(runs), given.GetValue(invocations), given.GetValue(save)), cancel);
    }
    catch (CannotStart e)
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
});
return await root.Parse(args).InvokeAsync();

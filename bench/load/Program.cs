using System.CommandLine;
using ControlPlane.Load;
using ControlPlane.Local.Processes;

var published = new Option<string?>("--published")
{ Description = "Where the functions were published, DIR/<project>/bootstrap; without it the build output runs.", HelpName = "DIR" };
var tenants = new Option<int>("--tenants") { Description = "Each with its workspace and engine.", DefaultValueFactory = _ => 100 };
var instances = new Option<int>("--instances") { Description = "Of all tenants together; each is heard of once a minute.", DefaultValueFactory = _ => 1000 };
var commands = new Option<double>("--commands") { Description = "A second.", DefaultValueFactory = _ => 2 };
var seconds = new Option<int>("--seconds") { Description = "How long.", DefaultValueFactory = _ => 120 };
var faults = new Option<bool>("--faults") { Description = "A function is killed every 10 s, engines are down a third of the time, Slack is busy." };

var root = new RootCommand("Commands and heartbeats as they come, what each took, and a count of everything at the end.")
{ published, tenants, instances, commands, seconds, faults };
root.SetAction(async (given, cancel) =>
{
    try
    {
        return await LoadBench.RunAsync(
            new(
                given.GetValue(published) is { } folder ? Path.GetFullPath(folder) : null, given.GetValue(tenants), given.GetValue(instances),
                given.GetValue(commands), TimeSpan.FromSeconds(given.GetValue(seconds)), given.GetValue(faults)),
            cancel);
    }
    catch (CannotStart e)
    {
        Console.Error.WriteLine(e.Message);
        return 2;
    }
});
return await root.Parse(args).InvokeAsync();

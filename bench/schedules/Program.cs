using System.CommandLine;
using ControlPlane.Bench.Schedules;
using ControlPlane.Local.Processes;

var count = new Argument<int>("count") { Description = "Schedules of one minute.", DefaultValueFactory = _ => 10_000 };
var published = new Option<string?>("--published")
{ Description = "Where the functions were published, DIR/<project>/bootstrap; without it the build output runs.", HelpName = "DIR" };

var root = new RootCommand("What the sweeper takes to order the schedules of one minute.") { count, published };
root.SetAction(async (given, cancel) =>
{
    try
    {
        return await ScheduleBench.RunAsync(given.GetValue(count), given.GetValue(published) is { } folder ? Path.GetFullPath(folder) : null, cancel);
    }
    catch (CannotStart e)
    {
        Console.Error.WriteLine(e.Message);
        return 2;
    }
});
return await root.Parse(args).InvokeAsync();

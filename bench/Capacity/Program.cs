using ControlPlane.Capacity;

// Writes docs/cost.md and docs/scaling.md from the JSON files beside this program.
var root = new DirectoryInfo(AppContext.BaseDirectory);
while (!File.Exists(Path.Combine(root.FullName, "ControlPlane.slnx")))
    root = root.Parent ?? throw new InvalidOperationException("ControlPlane.slnx is not above this program: run it from a checkout.");

var inputs = Inputs.Read(Path.Combine(root.FullName, "bench", "Capacity"));
File.WriteAllText(Path.Combine(root.FullName, "docs", "cost.md"), Pages.Cost(inputs));
File.WriteAllText(Path.Combine(root.FullName, "docs", "scaling.md"), Pages.Scaling(inputs));
Console.WriteLine("docs/cost.md and docs/scaling.md are written.");

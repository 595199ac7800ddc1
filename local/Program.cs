using ControlPlane.Local;

return await CommandLine.Root().Parse(args).InvokeAsync();

using ControlPlane.Local.Gateway;
using ControlPlane.Local.Template;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Local;

public sealed class RouteTableTests
{
    private static readonly RouteTable Routes =
        RouteTable.Of(LocalCloud.Template.Functions.Select(function => function.Project.Split('/').Last()).Distinct().Select(System.Reflection.Assembly.Load));

    [Fact]
    public void The_template_has_the_public_routes_that_the_code_has() => Assert.Equal(
        // /health is a route of two APIs: the public one, and the regional one that has no other
        Events<TemplateEvent.PublicRoute>().Select(one => $"{one.Event.Method} {one.Event.Path} {one.Function}").Distinct().Order(),
        Routes.Public.Select(route => $"{route.Key} {route.Function}").Order());

    [Fact]
    public void The_template_has_the_private_routes_that_the_code_has() => Assert.Equal(
        Events<TemplateEvent.PrivateRoute>().Select(one => $"{one.Event.Method} {one.Event.Path} {one.Function}").Order(),
        Routes.Private.Select(route => $"{route.Key} {route.Function}").Order());

    private static IEnumerable<(string Function, T Event)> Events<T>() where T : TemplateEvent =>
        LocalCloud.Template.Functions.SelectMany(function => function.Events.OfType<T>().Select(source => (function.Id, source)));
}

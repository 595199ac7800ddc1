using System.Reflection;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;

namespace ControlPlane.Local.Gateway;

/// <param name="Path">As in the attribute, with <c>{name}</c> for a segment that varies.</param>
/// <param name="Function">Logical id.</param>
internal sealed record Route(string Method, string Path, string Function)
{
    public string Key => $"{Method} {Path}";

    /// <returns>The path's parameters, decoded; null when the path is another.</returns>
    public IReadOnlyDictionary<string, string>? Match(string method, string path)
    {
        if (Method != "ANY" && method != Method)
            return null;
        var (mine, given) = (Path.Split('/'), path.Split('/'));
        if (mine.Length != given.Length)
            return null;

        var parameters = new Dictionary<string, string>();
        foreach (var (segment, value) in mine.Zip(given))
        {
            if (segment is ['{', .. var name, '}'] && value.Length > 0)
                parameters[name] = Uri.UnescapeDataString(value);
            else if (segment != value)
                return null;
        }

        return parameters;
    }
}

/// <summary>The routes of both APIs, read from the attributes on the functions' methods.</summary>
internal sealed record RouteTable(IReadOnlyList<Route> Public, IReadOnlyList<Route> Private)
{
    public static RouteTable Of(IEnumerable<Assembly> functions)
    {
        var methods = functions
            .SelectMany(assembly => assembly.GetTypes())
            .SelectMany(
                type => type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method => (Method: method, Function: method.GetCustomAttribute<LambdaFunctionAttribute>()?.ResourceName))
            .Where(one => one.Function is not null)
            .ToList();
        return new(
            [.. methods.SelectMany(one => one.Method.GetCustomAttributes<HttpApiAttribute>()
                .Select(api => new Route(Verb(api.Method), api.Template, one.Function!)))],
            [.. methods.SelectMany(one => one.Method.GetCustomAttributes<RestApiAttribute>()
                .Select(api => new Route(Verb(api.Method), api.Template, one.Function!)))]);
    }

    private static string Verb(LambdaHttpMethod method) => method.ToString().ToUpperInvariant();
}

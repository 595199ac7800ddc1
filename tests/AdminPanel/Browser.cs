using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Amazon.Lambda.ApplicationLoadBalancerEvents;
using ControlPlane.Text;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>Somebody's browser: keeps its cookie, sends what browsers send, and posts the forms that it was shown.</summary>
/// <param name="identity">What the load balancer says of them at a time.</param>
internal sealed partial class Browser(PanelFixture panel, Func<DateTimeOffset, string> identity)
{
    /// <summary>As <c>name=value</c>; null before the first page.</summary>
    public string? Cookie { get; private set; }

    /// <summary>Of the last form that was shown.</summary>
    public string? Token { get; private set; }

    public async Task<Answer> GetAsync(string address, Action<Dictionary<string, IList<string>>>? with = null, string method = "GET")
    {
        var answer = await panel.SendAsync(Request(method, address, null, with));
        if (answer.Header("Set-Cookie") is { } cookie)
            Cookie = cookie.Split(';')[0];
        if (TokenField().Match(answer.Text) is { Success: true, Groups: var found })
            Token = found["token"].Value;
        return answer;
    }

    /// <summary>Posts a form of the page at <paramref name="from"/>, which is opened first unless some form was shown before.</summary>
    public async Task<Answer> PostAsync(string address, (string Name, string Value)[]? fields = null, string from = "/tenants/tenant-7")
    {
        if (Token is null)
            await GetAsync(from);
        return await panel.SendAsync(Form(address, fields));
    }

    /// <summary>A form as the browser would post it; <paramref name="with"/> changes its headers.</summary>
    /// <param name="token">In the place of the one that was shown; empty for none.</param>
    public ApplicationLoadBalancerRequest Form(
        string address, (string Name, string Value)[]? fields = null, Action<Dictionary<string, IList<string>>>? with = null, string? token = null)
    {
        var all = (token ?? Token) is { Length: > 0 } shown ? [("token", shown), .. fields ?? []] : fields ?? [];
        return Request("POST", address, string.Join('&', all.Select(one => $"{Uri.EscapeDataString(one.Item1)}={Uri.EscapeDataString(one.Item2)}")), headers =>
        {
            headers["content-type"] = ["application/x-www-form-urlencoded"];
            headers["sec-fetch-site"] = ["same-origin"];
            with?.Invoke(headers);
        });
    }

    private ApplicationLoadBalancerRequest Request(string method, string address, string? body, Action<Dictionary<string, IList<string>>>? with)
    {
        var headers = new Dictionary<string, IList<string>>
        {
            ["accept"] = ["text/html"],
            ["accept-encoding"] = ["gzip, deflate, br"],
            ["host"] = ["admin.example.com"],
            ["x-amzn-oidc-data"] = [identity(panel.Now)],
        };
        if (Cookie is not null)
            headers["cookie"] = [$"AWSELBAuthSessionCookie-0=abc; {Cookie}"];
        with?.Invoke(headers);
        return Balanced(method, address, headers, body);
    }

    /// <summary>As a load balancer hands a request over: the query's names and values as they were sent.</summary>
    public static ApplicationLoadBalancerRequest Balanced(string method, string address, Dictionary<string, IList<string>> headers, string? body)
    {
        var (path, query) = address.Split('?') is [var before, var after] ? (before, after) : (address, "");
        return new()
        {
            RequestContext = new() { Elb = new() { TargetGroupArn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/panel/1234567890abcdef" } },
            HttpMethod = method,
            Path = path,
            MultiValueHeaders = headers,
            MultiValueQueryStringParameters = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('=', 2))
                .GroupBy(one => one[0], one => one.ElementAtOrDefault(1) ?? "").ToDictionary(one => one.Key, one => (IList<string>)[.. one]),
            Body = body is null ? "" : Convert.ToBase64String(Encoding.UTF8.GetBytes(body)),
            IsBase64Encoded = body is not null,
        };
    }

    [GeneratedRegex("""name="token" value="(?<token>[^"]+)">""")]
    private static partial Regex TokenField();
}

/// <summary>What the function answered.</summary>
internal sealed partial class Answer(ApplicationLoadBalancerResponse response)
{
    public int Status => response.StatusCode;

    public IEnumerable<string> HeaderNames => response.MultiValueHeaders!.Keys;

    /// <summary>Bytes on the way.</summary>
    public byte[] Sent { get; } = StrictBase64.Decode(response.Body ?? "")!;

    public string? Header(string name) => response.MultiValueHeaders!.TryGetValue(name, out var values) ? Assert.Single(values) : null;

    public string? Location => Header("Location");

    /// <summary>Unpacked.</summary>
    public string Text => Encoding.UTF8.GetString(Header("Content-Encoding") == "gzip" ? Unpacked() : Sent);

    /// <summary>What a reader sees, in a line: without tags, entities decoded.</summary>
    public string Words => Blanks().Replace(System.Net.WebUtility.HtmlDecode(Tags().Replace(Text, " ")), " ");

    /// <summary>Its tags with the names of their attributes: what no text may change.</summary>
    public string Skeleton => string.Join('\n', Tags().Matches(Text).Select(tag => Values().Replace(tag.Value, "=\"\"")));

    private byte[] Unpacked()
    {
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(Sent), CompressionMode.Decompress))
            gzip.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex("=\"[^\"]*\"")]
    private static partial Regex Values();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}

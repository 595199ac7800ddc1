namespace Amazon.Lambda.ApplicationLoadBalancerEvents;

/// <summary>What an application load balancer hands to a function that is its target.</summary>
/// <remarks>https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html</remarks>
public class ApplicationLoadBalancerRequest
{
    public ALBRequestContext RequestContext { get; set; } = null!;
    public string HttpMethod { get; set; } = null!;
    public string Path { get; set; } = null!;

    /// <summary>Null where the target group has <c>lambda.multi_value_headers.enabled</c>.</summary>
    public IDictionary<string, string>? Headers { get; set; }

    /// <summary>Only where the target group has <c>lambda.multi_value_headers.enabled</c>. Names in lower case.</summary>
    public IDictionary<string, IList<string>>? MultiValueHeaders { get; set; }

    /// <summary>As sent: names and values still carry their percent signs.</summary>
    public IDictionary<string, string>? QueryStringParameters { get; set; }

    /// <inheritdoc cref="QueryStringParameters"/>
    public IDictionary<string, IList<string>>? MultiValueQueryStringParameters { get; set; }

    public string? Body { get; set; }
    public bool IsBase64Encoded { get; set; }

    public class ALBRequestContext
    {
        public ElbInfo Elb { get; set; } = null!;
    }

    public class ElbInfo
    {
        public string TargetGroupArn { get; set; } = null!;
    }
}

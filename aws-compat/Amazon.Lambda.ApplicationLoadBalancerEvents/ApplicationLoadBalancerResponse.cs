using System.Runtime.Serialization;
using System.Text.Json.Serialization;

namespace Amazon.Lambda.ApplicationLoadBalancerEvents;

/// <summary>The answer to an application load balancer's event.</summary>
[DataContract]
public class ApplicationLoadBalancerResponse
{
    [DataMember(Name = "statusCode"), JsonPropertyName("statusCode")]
    public int StatusCode { get; set; }

    /// <summary>Like <c>200 OK</c>.</summary>
    [DataMember(Name = "statusDescription"), JsonPropertyName("statusDescription")]
    public string? StatusDescription { get; set; }

    [DataMember(Name = "headers"), JsonPropertyName("headers")]
    public IDictionary<string, string>? Headers { get; set; }

    /// <summary>In the place of <see cref="Headers"/> where the target group has <c>lambda.multi_value_headers.enabled</c>.</summary>
    [DataMember(Name = "multiValueHeaders"), JsonPropertyName("multiValueHeaders")]
    public IDictionary<string, IList<string>>? MultiValueHeaders { get; set; }

    [DataMember(Name = "body"), JsonPropertyName("body")]
    public string? Body { get; set; }

    [DataMember(Name = "isBase64Encoded"), JsonPropertyName("isBase64Encoded")]
    public bool IsBase64Encoded { get; set; }
}

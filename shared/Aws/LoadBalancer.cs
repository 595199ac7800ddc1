using System.Text;
using Amazon.Lambda.ApplicationLoadBalancerEvents;
using ControlPlane.Http;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>An application load balancer's event as the one request value.</summary>
public static class LoadBalancer
{
    extension(RawRequest)
    {
        /// <summary>From a target group with <c>lambda.multi_value_headers.enabled</c>: without it a header that was sent twice could not be told.</summary>
        /// <param name="most">Bytes of a body: what is larger is left out, undecoded. <c>IsLargerThan</c> tells that it was.</param>
        /// <returns>Null when the body is announced as base64 and is not, and for an event that is not such a load balancer's.</returns>
        public static RawRequest? From(ApplicationLoadBalancerRequest? alb, string requestId, int most)
        {
            if (alb is not { RequestContext.Elb.TargetGroupArn: not null, HttpMethod: not null, Path: not null, MultiValueHeaders: { } headers })
                return null;
            var body = alb.Body is null || alb.IsLargerThan(most) ? [] : alb.IsBase64Encoded ? StrictBase64.Decode(alb.Body) : Encoding.UTF8.GetBytes(alb.Body);
            return body is null ? null : new(
                alb.HttpMethod, alb.Path, headers.SelectMany(header => (header.Value ?? []).Select(value => KeyValuePair.Create(header.Key, value))), body,
                sourceIp: null, requestId, QueryOf(alb));
        }
    }

    extension(ApplicationLoadBalancerRequest alb)
    {
        /// <summary>Whether the body is larger than is taken, measured as it came; decoded, one that is not may have two bytes more still.</summary>
        public bool IsLargerThan(int bytes) => ApiGateway.BytesAtLeast(alb.Body, alb.IsBase64Encoded) > bytes;
    }

    // As it was sent, but for the order.
    private static string QueryOf(ApplicationLoadBalancerRequest alb) => string.Join('&',
        (alb.MultiValueQueryStringParameters ?? new Dictionary<string, IList<string>>()).SelectMany(one => (one.Value ?? []).Select(value => $"{one.Key}={value}")));
}

using System.Runtime.Serialization;

namespace Amazon.Lambda.APIGatewayEvents;

/// <summary>What an authorizer attached; every value is a <see cref="System.Text.Json.JsonElement"/>.</summary>
[DataContract]
public class APIGatewayCustomAuthorizerContext : Dictionary<string, object>;

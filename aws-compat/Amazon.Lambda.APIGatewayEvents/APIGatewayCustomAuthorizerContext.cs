namespace Amazon.Lambda.APIGatewayEvents;

/// <summary>What an authorizer attached; every value is a <see cref="System.Text.Json.JsonElement"/>.</summary>
public class APIGatewayCustomAuthorizerContext : Dictionary<string, object>;

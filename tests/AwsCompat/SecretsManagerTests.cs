using System.Net;
using System.Text;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.AwsCompat;

/// <summary>The secrets client against a server that shows what went over the wire.</summary>
public sealed class SecretsManagerTests : IAsyncDisposable
{
    private readonly LoopbackServer _server;
    private readonly AmazonSecretsManagerClient _secrets;
    private readonly List<(string Target, string? ContentType, string? Authorization, string Body)> _requests = [];
    private Queue<(int Status, string Body)> _answers = new();

    public SecretsManagerTests()
    {
        _server = new LoopbackServer(AnswerAsync);
        _secrets = Client(_server.Endpoint);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync()
    {
        _secrets.Dispose();
        return _server.DisposeAsync();
    }

    [Fact]
    public async Task A_secret_is_asked_for_in_signed_json_1_1_and_read_whole()
    {
        Answers((200, """
            {"ARN":"arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbCdEf","Name":"slack","VersionId":"v-1","SecretString":"{\"a\":\"é\"}",
             "VersionStages":["AWSCURRENT"],"CreatedDate":1793527200.5}
            """));

        var secret = await _secrets.GetSecretValueAsync(new() { SecretId = "slack", VersionStage = "AWSCURRENT" }, Cancel);

        var request = Assert.Single(_requests);
        Assert.Equal("secretsmanager.GetSecretValue", request.Target);
        Assert.Equal("application/x-amz-json-1.1", request.ContentType);
        Assert.Equal("""{"SecretId":"slack","VersionStage":"AWSCURRENT"}""", request.Body);
        Assert.Matches(
            @"^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/us-east-1/secretsmanager/aws4_request, SignedHeaders=[^,]*x-amz-target, Signature=[0-9a-f]{64}$",
            request.Authorization);
        Assert.Equal("arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbCdEf", secret.ARN);
        Assert.Equal(("slack", "v-1", """{"a":"é"}"""), (secret.Name, secret.VersionId, secret.SecretString));
        Assert.Equal(["AWSCURRENT"], secret.VersionStages!);
        Assert.Equal(new DateTime(2026, 11, 1, 10, 0, 0, 500, DateTimeKind.Utc), secret.CreatedDate);
        Assert.Equal(DateTimeKind.Utc, secret.CreatedDate!.Value.Kind);
        Assert.Null(secret.SecretBinary);
        Assert.Equal(HttpStatusCode.OK, secret.HttpStatusCode);
    }

    [Fact]
    public async Task A_binary_secret_goes_both_ways()
    {
        Answers((200, """{"ARN":"arn","Name":"root","VersionId":"v-2","SecretBinary":"AQID"}"""), (200, """{"ARN":"arn","Name":"root","VersionId":"v-3"}"""));

        var read = await _secrets.GetSecretValueAsync(new() { SecretId = "root" }, Cancel);
        await _secrets.PutSecretValueAsync(
            new() { SecretId = "root", ClientRequestToken = "token", SecretBinary = new([4, 5]), VersionStages = ["AWSPENDING"] }, Cancel);

        Assert.Equal([1, 2, 3], read.SecretBinary!.ToArray());
        Assert.Equal("""{"ClientRequestToken":"token","SecretBinary":"BAU=","SecretId":"root","VersionStages":["AWSPENDING"]}""", _requests[1].Body);
    }

    [Fact]
    public async Task A_write_without_a_token_gets_one_that_makes_its_retries_harmless()
    {
        Answers((500, """{"__type":"InternalServiceError","message":"try again"}"""), (200, """{"ARN":"arn","Name":"slack","VersionId":"v-1"}"""));

        await _secrets.CreateSecretAsync(new() { Name = "slack", SecretString = "s", Tags = [new() { Key = "k", Value = "v" }] }, Cancel);

        Assert.Equal(2, _requests.Count);
        Assert.Equal(_requests[0].Body, _requests[1].Body);
        Assert.Matches(
            """^\{"ClientRequestToken":"[0-9a-f-]{36}","Name":"slack","SecretString":"s","Tags":\[\{"Key":"k","Value":"v"\}\]\}$""", _requests[0].Body);
    }

    [Fact]
    public async Task A_stage_is_moved()
    {
        Answers((200, """{"ARN":"arn","Name":"slack"}"""));

        var moved = await _secrets.UpdateSecretVersionStageAsync(
            new() { SecretId = "slack", VersionStage = "AWSCURRENT", RemoveFromVersionId = "v-1", MoveToVersionId = "v-2" }, Cancel);

        Assert.Equal("secretsmanager.UpdateSecretVersionStage", _requests[0].Target);
        Assert.Equal("""{"MoveToVersionId":"v-2","RemoveFromVersionId":"v-1","SecretId":"slack","VersionStage":"AWSCURRENT"}""", _requests[0].Body);
        Assert.Equal("slack", moved.Name);
    }

    [Theory]
    [InlineData("ResourceNotFoundException", typeof(ResourceNotFoundException))]
    [InlineData("com.amazonaws.secretsmanager#ResourceNotFoundException", typeof(ResourceNotFoundException))]
    [InlineData("DecryptionFailure", typeof(DecryptionFailureException))]
    [InlineData("InvalidParameterException", typeof(InvalidParameterException))]
    [InlineData("InvalidRequestException", typeof(InvalidRequestException))]
    [InlineData("AccessDeniedException", typeof(AmazonSecretsManagerException))]
    public Task An_error_code_becomes_its_exception(string code, Type exception) =>
        Becomes(code, exception, () => _secrets.GetSecretValueAsync(new() { SecretId = "slack" }, Cancel));

    /// <summary>An operation has exceptions for the errors that it can meet; a caller that waits for another one at the wrong place would wait in
    /// vain.</summary>
    [Theory]
    [InlineData("DecryptionFailure", typeof(DecryptionFailureException), null, null)]
    [InlineData("EncryptionFailure", null, typeof(EncryptionFailureException), null)]
    [InlineData("ResourceExistsException", null, typeof(ResourceExistsException), null)]
    [InlineData("LimitExceededException", null, typeof(LimitExceededException), typeof(LimitExceededException))]
    public async Task An_error_code_that_an_operation_does_not_know_stays_general(string code, Type? reading, Type? writing, Type? moving)
    {
        await Becomes(code, reading, () => _secrets.GetSecretValueAsync(new() { SecretId = "slack" }, Cancel));
        await Becomes(code, writing, () => _secrets.PutSecretValueAsync(new() { SecretId = "slack" }, Cancel));
        await Becomes(code, writing, () => _secrets.CreateSecretAsync(new() { Name = "slack" }, Cancel));
        await Becomes(code, moving, () => _secrets.UpdateSecretVersionStageAsync(new() { SecretId = "slack" }, Cancel));
    }

    private async Task Becomes(string code, Type? exception, Func<Task> ask)
    {
        Answers((400, $$"""{"__type":"{{code}}","Message":"no"}"""));

        var thrown = await Assert.ThrowsAnyAsync<AmazonSecretsManagerException>(ask);
        Assert.Equal(exception ?? typeof(AmazonSecretsManagerException), thrown.GetType());
        Assert.Equal("no", thrown.Message);
        Assert.Equal(code[(code.IndexOf('#') + 1)..], thrown.ErrorCode);
        Assert.Equal(HttpStatusCode.BadRequest, thrown.StatusCode);
    }

    [Fact]
    public async Task A_secret_that_is_not_there_is_not_asked_for_twice()
    {
        Answers((400, """{"__type":"ResourceNotFoundException","Message":"no"}"""));

        await Assert.ThrowsAsync<ResourceNotFoundException>(() => _secrets.GetSecretValueAsync(new() { SecretId = "slack" }, Cancel));
        Assert.Single(_requests);
    }

    [Fact]
    public async Task A_passing_failure_of_the_service_is_tried_again_and_then_thrown()
    {
        Answers((500, """{"__type":"InternalServiceError","message":"no"}"""));

        await Assert.ThrowsAsync<InternalServiceErrorException>(() => _secrets.GetSecretValueAsync(new() { SecretId = "slack" }, Cancel));
        Assert.Equal(3, _requests.Count);
    }

    [Fact]
    public async Task An_answer_that_is_no_json_is_not_a_secret()
    {
        Answers((200, "<html>"));

        await Assert.ThrowsAsync<AmazonUnmarshallingException>(() => _secrets.GetSecretValueAsync(new() { SecretId = "slack" }, Cancel));
    }

    [Theory]
    [InlineData("eu-west-1", false, false, "https://secretsmanager.eu-west-1.amazonaws.com/")]
    [InlineData("cn-north-1", false, false, "https://secretsmanager.cn-north-1.amazonaws.com.cn/")]
    [InlineData("us-east-1", true, false, "https://secretsmanager-fips.us-east-1.amazonaws.com/")]
    [InlineData("us-east-1", false, true, "https://secretsmanager.us-east-1.api.aws/")]
    [InlineData("us-gov-west-1", true, true, "https://secretsmanager-fips.us-gov-west-1.api.aws/")]
    public void A_region_has_its_endpoint(string region, bool fips, bool dualStack, string url)
    {
        var config =
            new AmazonSecretsManagerConfig
            {
                RegionEndpoint = RegionEndpoint.GetBySystemName(region),
                UseFIPSEndpoint = fips,
                UseDualstackEndpoint = dualStack
            };

        Assert.Equal(url, config.DetermineServiceOperationEndpoint(new ServiceOperationEndpointParameters(new GetSecretValueRequest())).URL);
    }

    internal static AmazonSecretsManagerClient Client(string endpoint) => new(
        new BasicAWSCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        new AmazonSecretsManagerConfig { ServiceURL = $"http://{endpoint}", AuthenticationRegion = "us-east-1", MaxErrorRetry = 2 });

    /// <summary>What the server says, in turn; the last answer again and again.</summary>
    private void Answers(params (int, string)[] answers) => _answers = new(answers);

    private async Task AnswerAsync(HttpListenerContext http, CancellationToken stopped)
    {
        using var reader = new StreamReader(http.Request.InputStream, Encoding.UTF8);
        var headers = http.Request.Headers;
        _requests.Add((headers["X-Amz-Target"]!, http.Request.ContentType, headers["Authorization"], await reader.ReadToEndAsync(stopped)));

        var (status, body) = _answers.Count > 1 ? _answers.Dequeue() : _answers.Peek();
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/x-amz-json-1.1";
        http.Response.Close(Encoding.UTF8.GetBytes(body), willBlock: false);
    }
}

using ControlPlane.Aws;

namespace ControlPlane.Tests.Aws;

public sealed class AuthoritiesTests
{
    private const string Amazon = "/etc/pki/tls/certs/ca-bundle.crt", Debian = "/etc/ssl/certs/ca-certificates.crt";

    [Theory]
    [InlineData(null, null, Amazon, Amazon)]
    [InlineData(null, null, Debian, Debian)]
    [InlineData(null, null, "/somewhere/else.pem", null)]
    [InlineData("/own.pem", null, "/own.pem", "/own.pem")]
    [InlineData("/gone.pem", null, Amazon, null)]
    [InlineData(null, "/own", Amazon, null)]
    [InlineData("/own.pem", "/own", "/own.pem", null)]
    public void The_one_file_is_read_where_there_is_one_and_nobody_has_said_otherwise(string? file, string? folder, string there, string? read) =>
        Assert.Equal(read, Authorities.FileToRead(name => name == "SSL_CERT_FILE" ? file : name == "SSL_CERT_DIR" ? folder : null, path => path == there));
}

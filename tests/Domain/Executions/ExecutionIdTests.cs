using ControlPlane.Executions;

namespace ControlPlane.Tests.Domain.Executions;

public class ExecutionIdTests
{
    [Fact]
    public void The_same_request_is_the_same_execution() =>
        Assert.Equal(ExecutionId.Of("T0001", "398738663015.47445629121"), ExecutionId.Of("T0001", "398738663015.47445629121"));

    [Fact]
    public void Another_trigger_or_another_team_is_another_execution()
    {
        Assert.NotEqual(ExecutionId.Of("T0001", "1.2"), ExecutionId.Of("T0001", "1.3"));
        Assert.NotEqual(ExecutionId.Of("T0001", "1.2"), ExecutionId.Of("T0002", "1.2"));
    }

    [Fact]
    public void It_is_the_start_of_SHA_256_over_team_and_trigger()
    {
        // printf 'T0001|1.2' | sha256sum
        Assert.Equal("exec_cd64f8ffec8976171a0ccaa9d657d5fb", ExecutionId.Of("T0001", "1.2").ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("exec_")]
    [InlineData("exec_0123456789ABCDEF0123456789abcdef")]
    [InlineData("exec_0123456789abcdef0123456789abcdef ")]
    [InlineData("exec_0123456789abcdef0123456789abcdef\n")]
    [InlineData("exec_0123456789abcdef0123456789abcde")]
    [InlineData("EXEC_0123456789abcdef0123456789abcdef")]
    [InlineData("../exec_0123456789abcdef0123456789abcdef")]
    public void There_is_one_spelling_of_an_id(string text) => Assert.False(ExecutionId.TryParse(text, out _));

    [Fact]
    public void The_trace_id_is_32_hexadecimal_digits() => Assert.Matches(@"\A[0-9a-f]{32}\z", ExecutionId.Of("T0001", "1.2").TraceId);
}

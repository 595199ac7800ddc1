using ControlPlane.Administration;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Operator;

public sealed class ParameterTextTests
{
    [Theory]
    [InlineData("city:string:required", ParameterType.String, true)]
    [InlineData("city:string:maxlen=100", ParameterType.String, false)]
    [InlineData("count:integer:default=3:min=1:max=10", ParameterType.Integer, false)]
    [InlineData("count:integer:default=1000000000000000:min=-9007199254740991:max=9007199254740991", ParameterType.Integer, false)]
    [InlineData("ratio:number:default=0.5:min=0:max=1", ParameterType.Number, false)]
    [InlineData("ratio:number:min=-1E+20", ParameterType.Number, false)]
    [InlineData("dry-run:boolean:default=false", ParameterType.Boolean, false)]
    [InlineData("size:enum:default=small:values=small|medium|large", ParameterType.Enum, false)]
    [InlineData(@"at:string:default=10\:30", ParameterType.String, false)]
    [InlineData("city:string:required:description=Where to look: a city, no country.", ParameterType.String, true)]
    public void A_specification_is_read_and_written_back(string text, ParameterType type, bool required)
    {
        var (parameter, fault) = ParameterText.Parse(text);
        Assert.Null(fault);
        Assert.Equal((type, required), (parameter!.Type, parameter.Required));
        Assert.Equal(text, ParameterText.Format(parameter));
    }

    [Fact]
    public void Values_have_the_parameters_own_type()
    {
        Assert.Equal("3", ParameterText.Parse("n:integer:default=3").Parameter!.Default!.Value.GetRawText());
        Assert.Equal("\"3\"", ParameterText.Parse("n:string:default=3").Parameter!.Default!.Value.GetRawText());
        Assert.Equal("\"10:30\"", ParameterText.Parse(@"n:string:default=10\:30").Parameter!.Default!.Value.GetRawText());
        Assert.Equal("true", ParameterText.Parse("n:boolean:default=true").Parameter!.Default!.Value.GetRawText());
        Assert.Equal("true", ParameterText.Parse("n:boolean:default=TRUE").Parameter!.Default!.Value.GetRawText());
        Assert.Equal(["a", "b"], ParameterText.Parse("n:enum:values=a|b").Parameter!.Values!);
        Assert.Equal("9007199254740991", ParameterText.Parse("n:integer:default=9007199254740991").Parameter!.Default!.Value.GetRawText());
    }

    [Theory]
    [InlineData("city", "like city:string:required")]
    [InlineData("", "like city:string:required")]
    [InlineData("1city:string", "begins with a letter")]
    [InlineData("ci ty:string", "begins with a letter")]
    [InlineData("city:text", "string, integer, number, boolean or enum")]
    [InlineData("city:string:needed", "'needed' is not known")]
    [InlineData("city:string:required=yes", "stands alone")]
    [InlineData("city:string:required:required", "said twice")]
    [InlineData("city:string:default", "needs a value")]
    [InlineData("city:string:required:default=x", "never missing")]
    [InlineData("city:string:maxlen=2:default=xyz", "would take")]
    [InlineData("city:string:maxlen=0", "from 1 to")]
    [InlineData("city:string:min=1", "say maxlen")]
    [InlineData("city:string:values=a", "for an enum")]
    [InlineData("n:integer:min=1.5", "not a whole number")]
    [InlineData("n:integer:max=9007199254740992", "not a whole number")]
    [InlineData("n:integer:min=5:max=1", "min is above max")]
    [InlineData("n:integer:max=5:default=6", "would take")]
    [InlineData("n:integer:default=x", "would take")]
    [InlineData("n:integer:maxlen=5", "maxlen is for strings")]
    [InlineData("n:number:min=NaN", "not a number")]
    [InlineData("n:number:min=1e999", "not a number")]
    [InlineData("n:boolean:default=maybe", "would take")]
    [InlineData("n:enum", "values=small|large")]
    [InlineData("n:enum:values=", "values=small|large")]
    [InlineData("n:enum:values=a|a", "different words")]
    [InlineData("n:enum:values=a|b:default=c", "would take")]
    [InlineData("n:string:description=", "1 to 200")]
    public void A_wrong_specification_is_refused_with_the_mend(string text, string mend)
    {
        var (parameter, fault) = ParameterText.Parse(text);
        Assert.Null(parameter);
        Assert.Contains(mend, fault, StringComparison.Ordinal);
    }
}

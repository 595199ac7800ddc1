// node validate.mjs TEMPLATE...     strict JSON, AWS's rules and schemas, and the property names of SAM's types.
//
// @aws/cloudformation-validate brings the rules but leaves the properties of AWS::Serverless::* alone, so a function is also
// checked as the AWS::Lambda::Function that it becomes, and SAM's property names against @aws-cdk/aws-service-spec.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { loadAwsServiceSpecSync } from "@aws-cdk/aws-service-spec";
import cfn from "@aws/cloudformation-validate";

// A finding that is none, by rule and place, each with its reason.
const excused = {
  "W2509 SecretsManagerEndpoint": "the switch of an endpoint; there is no secret in it",
  "W9002 PrivateDomain": "its certificate is a parameter; the ARN seen is the placeholder that a rule of the template refuses",
  "W1001 NatAddress1": "the rule does not follow Fn::If into an output",
  "W1001 NatAddress2": "the rule does not follow Fn::If into an output",
  "W1001 NatAddress3": "the rule does not follow Fn::If into an output",
  "W1001 PrivateApiUrl": "the rule does not follow Fn::If into an output",
  "W2509 SlackSecretArn": "the name of a secret, not the secret",
  "W2509 OidcClientSecretId": "the name of a secret, not the secret",
  "W2509 OidcClientSecretVersion": "a version of a secret, not the secret",
  "W9002 AdminPanelPermission": "it cannot refer to the target group, which asks for it first",
  "E3676 AdminListener": "the rule does not follow Fn::If into its certificate",
};

// What SAM has learnt since the schema database copied it.
const newer = {
  "AWS::Serverless::Function": ["LoggingConfig", "RecursiveLoop", "RuntimeManagementConfig"],
  "AWS::Serverless::Api": ["PropagateTags"],
  "AWS::Serverless::HttpApi": ["AccessLogSettings", "Name", "PropagateTags"],
};

const schemas = loadAwsServiceSpecSync();
const engine = new cfn.CelEngine();

function lint(template) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "template-"));
  try {
    const file = path.join(folder, "t.json");
    fs.writeFileSync(file, JSON.stringify(template, null, 1));
    const { diagnostics } = engine.validateStandard(new cfn.TemplateFile(file), { severityLevel: "WARN", strict: true });
    return diagnostics.map((one) => ({ rule: one.ruleId, where: one.entity?.logicalId ?? "", message: one.message }));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

// The default of a parameter that is read from SSM is a name in SSM, not a value: the rules must not take it for one.
function withoutStoredDefaults(template) {
  const copy = structuredClone(template);
  for (const parameter of Object.values(copy.Parameters ?? {})) {
    const stored = /^AWS::SSM::Parameter::Value<(.+)>$/.exec(parameter.Type);
    if (stored) { parameter.Type = stored[1]; delete parameter.Default; }
  }
  return copy;
}

// SAM makes a stage for each API and an alias for each function, which others may name: stand-ins keep the references from dangling.
function withGenerated(template) {
  const standIn = { Type: "AWS::CloudFormation::WaitConditionHandle" };
  const alias = template.Globals?.Function?.AutoPublishAlias;
  const aliases = new Map();
  const generated = {};
  for (const [id, { Type: type, Properties: properties }] of Object.entries(template.Resources ?? {})) {
    const stage = { "AWS::Serverless::HttpApi": "ApiGatewayDefaultStage", "AWS::Serverless::Api": `${properties?.StageName}Stage` }[type];
    if (stage) generated[id + stage] = standIn;
    if (type !== "AWS::Serverless::Function" || !alias) continue;
    generated[`${id}Alias${alias}`] = standIn;
    aliases.set(`${id}.Alias`, `${id}Alias${alias}`);
  }
  const copy = JSON.parse(JSON.stringify(template), (name, value) => (name === "Ref" && aliases.get(value)) || value);
  Object.assign(copy.Resources, generated);
  return copy;
}

const carriedOver = ["Handler", "Runtime", "FunctionName", "Description", "MemorySize", "Timeout", "Environment", "VpcConfig", "Layers", "Architectures",
  "ReservedConcurrentExecutions", "KmsKeyArn", "EphemeralStorage", "LoggingConfig", "RuntimeManagementConfig", "RecursiveLoop", "PackageType"];

function withLambdaFunctions(template) {
  const copy = structuredClone(template);
  const globals = copy.Globals?.Function ?? {};
  delete copy.Globals;
  for (const resource of Object.values(copy.Resources ?? {})) {
    if (resource.Type !== "AWS::Serverless::Function") continue;
    const own = { ...globals, ...resource.Properties };
    own.Environment = { Variables: { ...globals.Environment?.Variables, ...resource.Properties?.Environment?.Variables } };
    resource.Type = "AWS::Lambda::Function";
    resource.Properties = {
      Code: { S3Bucket: "artifacts", S3Key: "code.zip" },
      Role: { "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/generated" },
      ...Object.fromEntries(carriedOver.filter((name) => name in own).map((name) => [name, own[name]])),
    };
  }
  return copy;
}

function samNames(template) {
  const found = [];
  const globals = template.Globals?.Function ?? {};
  for (const [id, { Type: type, Properties: properties = {} }] of Object.entries(template.Resources ?? {})) {
    if (!type?.startsWith("AWS::Serverless::")) continue;
    const [schema] = schemas.lookup("resource", "cloudFormationType", "equals", type);
    const known = new Set([...Object.keys(schema?.properties ?? {}), ...(newer[type] ?? [])]);
    for (const name of Object.keys(properties))
      if (!known.has(name)) found.push({ rule: "SAM", where: id, message: `${type} has no property ${name}` });
    if (type === "AWS::Serverless::Function")
      for (const name of ["Runtime", "Handler", "CodeUri"])
        if (!(name in properties) && !(name in globals)) found.push({ rule: "SAM", where: id, message: `lacks ${name}` });
  }
  return found;
}

let count = 0;
for (const file of process.argv.slice(2)) {
  const template = withGenerated(withoutStoredDefaults(JSON.parse(fs.readFileSync(file, "utf8"))));
  const seen = new Set();
  for (const { rule, where, message } of [...lint(template), ...lint(withLambdaFunctions(template)), ...samNames(template)]) {
    const line = `${file}: ${rule} ${where}: ${message}`;
    if (`${rule} ${where}` in excused || seen.has(line)) continue;
    seen.add(line);
    console.log(line);
  }
  console.log(`${file}: ${seen.size} finding(s)`);
  count += seen.size;
}
engine.free();
process.exitCode = count > 0 ? 1 : 0;

"""CloudFormation's rules on top of moto's services.

moto (https://docs.getmoto.org) answers the AWS API and makes the resources that it knows. Its own reading of templates is lenient: what does not resolve
becomes nothing, an update deletes first. This module takes that part over and refuses what CloudFormation would refuse. Resources that moto lacks are stood
in for; `stand_ins` lists them.
"""
import base64
import hashlib
import json
import os
import re

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import ValidationError
from moto.secretsmanager.models import FakeSecret, secretsmanager_backends
from moto.ssm.models import ssm_backends
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

# Replaced, these lose data, a name that others know, or an address that others route to.
MUST_STAY = {
    "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::DomainName", "AWS::Backup::BackupVault", "AWS::CloudFront::Distribution",
    "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::EC2::EIP", "AWS::EC2::Subnet", "AWS::EC2::VPC", "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCPeeringConnection", "AWS::EC2::Volume", "AWS::KMS::Key", "AWS::Lambda::Function", "AWS::Logs::LogGroup", "AWS::Route53::HostedZone",
    "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::SecretsManager::Secret",
}

# What makes two of a kind one thing to AWS, where that is not their name: the second cannot be made while the first is there.
IDENTITIES = {
    "AWS::ApiGateway::Stage": ("RestApiId", "StageName"),
    "AWS::ApiGatewayV2::Stage": ("ApiId", "StageName"),
    "AWS::EC2::EIPAssociation": ("AllocationId",),
    "AWS::EC2::Instance": ("NetworkInterfaces",),
    "AWS::EC2::NetworkAclEntry": ("NetworkAclId", "Egress", "RuleNumber"),
    "AWS::EC2::Route": ("RouteTableId", "DestinationCidrBlock", "DestinationPrefixListId"),
    "AWS::EC2::SubnetNetworkAclAssociation": ("SubnetId",),
    "AWS::EC2::SubnetRouteTableAssociation": ("SubnetId",),
    "AWS::Lambda::Alias": ("FunctionName", "Name"),
    "AWS::Route53::HostedZone": (),
    "AWS::Route53::RecordSet": ("HostedZoneId", "Name", "Type", "SetIdentifier"),
}
WORLDWIDE = ("AWS::IAM::", "AWS::S3::", "AWS::Route53::", "AWS::CloudFront::")

# moto knows these types but not what these templates say of them.
TOO_THIN = {
    "AWS::ApiGateway::Deployment", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage", "AWS::AutoScaling::AutoScalingGroup", "AWS::CloudWatch::Dashboard",
    "AWS::EC2::Instance", "AWS::Lambda::Alias", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission", "AWS::Lambda::Version",
}

stand_ins = set()       # types that moto does not make
deployed = {}           # (account, region, stack name) -> Deployment
fail_once = set()       # logical ids whose next creation fails, as AWS fails for want of a quota


class Refused(ValidationError):
    def __init__(self, message):
        super().__init__(message=message)


class Nothing:
    """AWS::NoValue"""


class Unset:
    """A parameter that an update sends as its previous value, and that is new."""


class Previous(dict):
    def __missing__(self, name):
        return Unset


class StandIn:
    """A resource of a kind that moto lacks: an id and whatever attributes CloudFormation documents."""

    def __init__(self, kind, logical_id, stack):
        self.type, self.mark = kind, hashlib.sha256(f"{stack.account}{stack.region}{stack.name}{logical_id}{os.urandom(4)}".encode()).hexdigest()
        self.physical_resource_id = f"{stack.name}-{logical_id}-{self.mark[:8]}"

    def delete(self, account, region):
        pass


class Resource:
    def __init__(self, kind, properties, policy, real):
        self.type, self.properties, self.policy, self.real = kind, properties, policy, real

    @property
    def id(self):
        return self.real.physical_resource_id

    @property
    def identity(self):
        if self.type in IDENTITIES:
            parts = [json.dumps(self.properties.get(name)) for name in IDENTITIES[self.type]]
            return " ".join(parts) if any(part != "null" for part in parts) else None
        return name_in(self.type, self.properties)


def name_in(kind, properties):
    """TableName for a table, global or not; Name for what calls it so."""
    for key, value in properties.items():
        if key == "Name" or (key.endswith("Name") and (kind.endswith(key[:-4]) or kind.endswith(key))):
            return value if isinstance(value, str) else None
    return None


def schema(kind):
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind)


def expand(template, parameters):
    """What the transform AWS::Serverless does on AWS's side."""
    if not template.get("Transform"):
        return template
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

    class Managed(dict):
        def get(self, name, default=None):
            return f"arn:aws:iam::aws:policy/{name}"

    values = {name: declared.get("Default") if parameters.get(name, Unset) is Unset else parameters[name] for name, declared in template["Parameters"].items()}
    return Translator(Managed(), Parser()).translate(json.loads(json.dumps(template)), values)


class Deployment:
    """One stack: what it is made of now, and the next state while it is reached."""

    def __init__(self, account, region, name):
        self.account, self.region, self.name = account, region, name
        self.resources, self.outputs, self.exports, self.imports = {}, {}, {}, set()

    # ---- A deployment -------------------------------------------------------------------------------------------------------------

    def deploy(self, template, parameters, stack_id):
        self.conditions, self.next, self.made, self.obsolete, self.in_progress = {}, {}, [], [], []
        self.stack_id, self.template = stack_id, expand(template, parameters)
        self.values = self.take(parameters)
        imports, self.imports = self.imports, set()
        before = dict(self.resources)
        self.obey_rules()
        try:
            for logical_id, declared in self.template["Resources"].items():
                if self.exists(declared):
                    self.reach(logical_id)
            outputs = {name: one for name, one in self.template.get("Outputs", {}).items() if self.exists(one)}
            self.outputs = {name: self.text(one["Value"], f"output {name}") for name, one in outputs.items()}
            exports = {self.text(one["Export"]["Name"], "export"): self.outputs[name] for name, one in outputs.items() if "Export" in one}
            self.keep_exports(exports)
        except Exception:
            self.imports = imports
            if before:
                self.resources = before
            raise
        self.exports = exports
        self.remove({**{one: before[one] for one in before if one not in self.next}}, also=self.obsolete)
        self.resources = self.next

    def roll_back(self):
        """A create that failed: what was made goes again, except what Retain keeps and what is protected. Returns what is left."""
        left = {}
        for logical_id in reversed(self.made):
            resource = self.next[logical_id]
            if resource.policy == "Retain" or not self.delete(resource):
                left[logical_id] = resource
                print(f"   left behind: {self.name} {logical_id}", flush=True)
        self.resources = left
        return left

    def take_down(self):
        for other in deployed.values():
            used = other.imports & set(self.exports) if other is not self and (other.account, other.region) == (self.account, self.region) else set()
            if used:
                raise Refused(f"Export {used.pop()} cannot be deleted as it is in use by {other.name}")
        self.remove(self.resources)

    def remove(self, resources, also=()):
        for resource in [*also, *reversed(list(resources.values()))]:
            if not (resource.policy or "").startswith("Retain"):
                self.delete(resource)

    def delete(self, resource):
        try:
            if resource.type in PLAYED:
                PLAYED[resource.type].delete(self, resource)
            elif resource.type == "AWS::EC2::Route":
                of = {name: resource.properties[name] for name in ("RouteTableId", "DestinationCidrBlock")}
                client("ec2", self.account, self.region).delete_route(**of)
            else:
                models_delete(resource, self.account, self.region)
            return True
        except Exception as e:
            return "DeletionProtection" not in str(e)               # whatever else stands in the way is moto's own order of things

    # ---- One resource -------------------------------------------------------------------------------------------------------------

    def reach(self, logical_id):
        if logical_id in self.next:
            return self.next[logical_id]
        declared = self.template["Resources"].get(logical_id)
        if declared is None or not self.exists(declared):
            raise Refused(f"Unresolved resource dependencies [{logical_id}] in the template")
        if logical_id in self.in_progress:
            raise Refused(f"Circular dependency between resources: {self.in_progress}")
        self.in_progress.append(logical_id)
        waits_for = declared.get("DependsOn", [])
        for other in [waits_for] if isinstance(waits_for, str) else waits_for:
            if self.exists(self.template["Resources"][other]):
                self.reach(other)
        kind, policy = declared["Type"], declared.get("DeletionPolicy")
        properties = self.resolve(declared.get("Properties", {}), logical_id)
        old = self.resources.get(logical_id)
        if old is None or old.type != kind:
            resource = self.create(logical_id, kind, properties, policy)
        else:
            resource = self.update(logical_id, old, properties, policy)
        self.next[logical_id] = resource
        self.in_progress.pop()
        return resource

    def create(self, logical_id, kind, properties, policy, replaces=None):
        resource = Resource(kind, properties, policy, None)
        self.refuse_namesake(logical_id, resource)
        if logical_id in fail_once:
            fail_once.remove(logical_id)
            raise Refused(f"{logical_id}: a failure that the rehearsal planted")
        if kind in PLAYED:
            resource.real = PLAYED[kind](self, logical_id, properties)
        else:
            maker = None if kind in TOO_THIN else parsing.get_model_map().get(kind)
            if maker is None:
                stand_ins.add(kind)
                resource.real = StandIn(kind, logical_id, self)
            else:
                made_up_name = parsing.generate_resource_name(kind, self.name, logical_id) + (".fifo" if properties.get("FifoQueue") else "")
                json_again = json.loads(json.dumps({"Type": kind, "Properties": properties}))
                resource.real = maker.create_from_cloudformation_json(
                    name_in(kind, properties) or made_up_name, json_again, self.account, self.region,
                    LogicalId=logical_id, StackId=self.stack_id, ResourceType=kind)
        resource.real.cf_resource_type = resource.real.type = kind
        resource.real.logical_resource_id = logical_id
        self.made.append(logical_id)
        return resource

    def update(self, logical_id, old, properties, policy):
        changed = {name for name in {*old.properties, *properties} if old.properties.get(name) != properties.get(name)}
        fixed = {path.split("/")[2] for path in schema(old.type).schema.get("createOnlyProperties", [])}
        if not changed & fixed:
            if changed and old.type == "AWS::EC2::Route":
                redirect(self, old, properties)
            if changed and old.type == "AWS::SSM::Parameter":
                client("ssm", self.account, self.region).put_parameter(Overwrite=True, **{name: properties[name] for name in ("Name", "Value", "Type")})
            return Resource(old.type, properties, policy, old.real)
        why = f"{self.name}: {logical_id} would be replaced, for {', '.join(sorted(changed & fixed))} changes"
        if old.type in MUST_STAY:
            raise Refused(f"{why}; a {old.type} must stay")
        if old.identity is not None and old.identity == Resource(old.type, properties, policy, None).identity:
            raise Refused(f"{why}; the new one cannot be made while the old one is there: {old.identity}")
        print(f"   replaced: {self.name} {logical_id}", flush=True)
        self.obsolete.append(old)
        return self.create(logical_id, old.type, properties, policy)

    def refuse_namesake(self, logical_id, resource):
        if resource.identity is None:
            return
        for stack in deployed.values():
            near = stack.account == self.account and (stack.region == self.region or resource.type.startswith(WORLDWIDE))
            for other_id, other in {**stack.resources, **(self.next if stack is self else {})}.items():
                if near and other.type == resource.type and other.identity == resource.identity and (stack, other_id) != (self, logical_id):
                    raise Refused(f"{self.name}: {logical_id} already exists: {resource.identity} in stack {stack.name} ({other_id})")

    # ---- Parameters, rules, conditions --------------------------------------------------------------------------------------------

    def take(self, given):
        values, self.raw = {}, {}
        surplus = set(given) - set(self.template.get("Parameters", {}))
        if surplus:
            raise Refused(f"Parameters: [{', '.join(surplus)}] do not exist in the template")
        for name, declared in self.template.get("Parameters", {}).items():
            raw = given.get(name, Unset)
            if raw is Unset and "Default" not in declared:
                raise Refused(f"Parameters: [{name}] must have values")
            value = self.raw[name] = str(declared["Default"] if raw is Unset else raw)
            if "AllowedPattern" in declared and not re.search(declared["AllowedPattern"], value):
                raise Refused(f"Parameter {name} failed to satisfy constraint: {value!r} does not match {declared['AllowedPattern']}")
            if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
                raise Refused(f"Parameter {name} must be one of {declared['AllowedValues']}, not {value!r}")
            if not declared.get("MinValue", 0) <= (float(value) if declared["Type"] == "Number" else 0) <= declared.get("MaxValue", float("inf")):
                raise Refused(f"Parameter {name} is out of range: {value}")
            if declared["Type"].startswith("AWS::SSM::Parameter::Value"):
                value = self.stored(value)
            values[name] = value.split(",") if "List" in declared["Type"] else value
        return values

    def stored(self, name):
        parameter = ssm_backends[self.account][self.region].get_parameter(name)
        if parameter is None:
            raise Refused(f"Unable to fetch parameters [{name}] from parameter store for this account in {self.region}")
        return parameter.value

    def obey_rules(self):
        for name, rule in self.template.get("Rules", {}).items():
            if "RuleCondition" not in rule or self.holds(rule["RuleCondition"]):
                for assertion in rule["Assertions"]:
                    if not self.holds(assertion["Assert"]):
                        raise Refused(f"Rule {name}: {assertion['AssertDescription']}")

    def exists(self, declared):
        return "Condition" not in declared or self.holds({"Condition": declared["Condition"]})

    def holds(self, condition):
        (function, of), = condition.items()
        if function == "Condition":
            if of not in self.conditions:
                self.conditions[of] = self.holds(self.template["Conditions"][of])
            return self.conditions[of]
        if function == "Fn::Equals":
            return str(self.resolve(of[0], "condition")) == str(self.resolve(of[1], "condition"))
        if function == "Fn::Not":
            return not self.holds(of[0])
        return (all if function == "Fn::And" else any)([self.holds(one) for one in of])

    # ---- Values -------------------------------------------------------------------------------------------------------------------

    def resolve(self, node, where):
        if isinstance(node, list):
            return [one for one in (self.resolve(one, where) for one in node) if one is not Nothing]
        if not isinstance(node, dict):
            if isinstance(node, str) and "{{resolve:" in node:
                return re.sub(r"\{\{resolve:secretsmanager:(arn:.+?|[^:]+):SecretString:(\w+)(?:::([\w-]+))?\}\}", self.secret, node)
            return node
        if len(node) == 1:
            (function, of), = node.items()
            if function == "Ref" or function.startswith("Fn::"):
                value = self.evaluate(function, of, where)
                return self.resolve(value, where) if isinstance(value, str) and "{{resolve:" in value else value
        return {name: value for name, value in ((name, self.resolve(one, where)) for name, one in node.items()) if value is not Nothing}

    def text(self, node, where):
        value = self.resolve(node, where)
        if value is Nothing or value is None or isinstance(value, (dict, list)):
            raise Refused(f"{self.name}: {where} does not resolve to a text but to {value!r}")
        return str(value)

    def evaluate(self, function, of, where):
        if function == "Ref":
            return self.reference(of, where)
        if function == "Fn::GetAtt":
            name, attribute = of.split(".", 1) if isinstance(of, str) else of
            return self.attribute(name, attribute, where)
        if function == "Fn::Sub":
            template, own = (of, {}) if isinstance(of, str) else of
            return re.sub(r"\$\{([^!}][^}]*)\}", lambda match: self.placeholder(match[1], own, where), template).replace("${!", "${")
        if function == "Fn::If":
            return self.resolve(of[1] if self.holds({"Condition": of[0]}) else of[2], where)
        if function == "Fn::Join":
            return of[0].join(str(one) for one in self.resolve(of[1], where))
        if function == "Fn::Select":
            return self.resolve(of[1], where)[int(self.resolve(of[0], where))]
        if function == "Fn::Split":
            return self.text(of[1], where).split(of[0])
        if function == "Fn::FindInMap":
            found = self.template["Mappings"][of[0]].get(self.text(of[1], where), {})
            if self.text(of[2], where) not in found:
                raise Refused(f"{self.name}: {where}: unable to get mapping for {of}")
            return found[self.text(of[2], where)]
        if function == "Fn::ImportValue":
            return self.imported(self.text(of, where))
        if function == "Fn::Base64":
            return base64.b64encode(self.text(of, where).encode()).decode()
        if function == "Fn::GetAZs":
            return [self.region + zone for zone in "abc"]
        raise Refused(f"{self.name}: {where}: the rehearsal does not know {function}")

    def placeholder(self, name, own, where):
        if name in own:
            return self.text(own[name], where)
        if "." in name:
            return self.text({"Fn::GetAtt": name.split(".", 1)}, where)
        return str(self.reference(name, where))

    def reference(self, name, where):
        pseudo = {
            "AWS::NoValue": Nothing, "AWS::Region": self.region, "AWS::AccountId": self.account, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.name, "AWS::StackId": self.stack_id,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.values:
            return self.values[name]
        if name not in self.template["Resources"]:
            raise Refused(f"{self.name}: {where}: unresolved reference {name}")
        return self.reach(name).id

    def attribute(self, name, attribute, where):
        resource = self.reach(name)
        documented = any(attribute == one or attribute.startswith(f"{one}.") for one in schema(resource.type).get_atts) or resource.type.startswith("Custom::")
        if not documented:
            raise Refused(f"{self.name}: {where}: {resource.type} has no attribute {attribute}")
        try:
            value = resource.real.get_cfn_attribute(attribute)
        except Exception:                                           # moto has the resource, not the attribute
            value = None
        return value if value is not None else made_up(self, resource, attribute)

    def imported(self, name):
        for stack in deployed.values():
            if (stack.account, stack.region) == (self.account, self.region) and name in stack.exports:
                self.imports.add(name)
                return stack.exports[name]
        raise Refused(f"No export named {name} found")

    def keep_exports(self, exports):
        for stack in deployed.values():
            if stack is not self and (stack.account, stack.region) == (self.account, self.region):
                lost = {name for name in stack.imports & set(self.exports) if exports.get(name) != self.exports[name]}
                if lost:
                    raise Refused(f"Export {lost.pop()} cannot be updated as it is in use by {stack.name}")

    def secret(self, match):
        name, key, version = match.groups()
        secret = secretsmanager_backends[self.account][self.region].secrets.get(name)
        if not secret:
            raise Refused(f"{self.name}: there is no secret {name}")
        kept = secret.versions.get(version or secret.default_version_id)
        if not kept or not kept.get("version_stages"):
            raise Refused(f"{self.name}: version {version} of {name} has no label any more: Secrets Manager may have removed it")
        return json.loads(kept["secret_string"])[key]


def made_up(stack, resource, attribute):
    """Of the shape that AWS's own has, for parameters' patterns look at it."""
    mark = hashlib.sha256(f"{resource.id}{resource.type}".encode()).hexdigest()
    service, kind = resource.type.lower().split("::")[1:]
    if attribute == "DnsEntries":
        return [f"Z{mark[:12].upper()}:{resource.id}.execute-api.{stack.region}.vpce.amazonaws.com"]
    if attribute.endswith(("ZoneId", "HostedZoneID")):
        return f"Z{mark[:12].upper()}"
    if attribute in ("RegionalDomainName", "DomainName", "DNSName", "DistributionDomainName"):
        return f"d-{mark[:10]}.{service}.{stack.region}.amazonaws.com"
    if attribute.endswith("Arn"):
        return f"arn:aws:{service}:{stack.region}:{stack.account}:{kind}/{resource.id}"
    if attribute.endswith("s") and attribute[:-1].endswith("Id"):
        return [f"{attribute[:-1].lower()}-{mark[:8]}"]
    return f"{attribute.lower()}-{mark[:8]}"


def models_delete(resource, account, region):
    """As moto deletes: by the resource's own method, else by its class."""
    if isinstance(resource.real, StandIn):
        return
    try:
        resource.real.delete(account, region)
    except (TypeError, AttributeError):
        maker = parsing.get_model_map()[resource.type]
        if not hasattr(maker.delete_from_cloudformation_json, "__isabstractmethod__"):
            maker.delete_from_cloudformation_json(resource.id, {"Type": resource.type, "Properties": resource.properties}, account, region)


# ---- Kinds that moto serves by its API but does not make from a template --------------------------------------------------------------------

class Played:
    def __init__(self, physical_id, attributes=()):
        self.physical_resource_id, self.attributes = physical_id, dict(attributes)

    def get_cfn_attribute(self, name):
        return self.attributes.get(name)


client = None           # (service, account, region) -> boto3 client of the mock; set by whoever starts it


def global_table(stack, logical_id, properties):
    tables, name = client("dynamodb", stack.account, stack.region), properties["TableName"]
    here = next(one for one in properties["Replicas"] if one["Region"] == stack.region)
    written = ("TableName", "BillingMode", "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")
    as_written = {key: properties[key] for key in written if key in properties}
    table = tables.create_table(DeletionProtectionEnabled=here["DeletionProtectionEnabled"], **as_written)["TableDescription"]
    tables.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=here["PointInTimeRecoverySpecification"])
    if "TimeToLiveSpecification" in properties:
        tables.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    return Played(name, {"Arn": table["TableArn"]})


def secret(stack, logical_id, properties):
    made = properties["GenerateSecretString"]
    value = json.dumps({**json.loads(made["SecretStringTemplate"]), made["GenerateStringKey"]: os.urandom(made["PasswordLength"] // 2).hex()})
    answer = client("secretsmanager", stack.account, stack.region).create_secret(Name=properties["Name"], SecretString=value)
    return Played(answer["ARN"], {"Id": answer["ARN"]})


def peering(stack, logical_id, properties):
    """Across accounts: asked for here, accepted there by the role that the request names."""
    owner, region = properties.get("PeerOwnerId", stack.account), properties.get("PeerRegion", stack.region)
    ec2 = client("ec2", stack.account, stack.region)
    ends = {name: properties[name] for name in ("VpcId", "PeerVpcId")}
    made = ec2.create_vpc_peering_connection(PeerOwnerId=owner, PeerRegion=region, **ends)["VpcPeeringConnection"]
    if "PeerRoleArn" in properties:
        trusted = client("iam", owner, region).get_role(RoleName=properties["PeerRoleArn"].rsplit("/", 1)[1])["Role"]["AssumeRolePolicyDocument"]
        if not any(one["Effect"] == "Allow" and "sts:AssumeRole" in one["Action"] for one in trusted["Statement"]):
            raise Refused(f"{logical_id}: {properties['PeerRoleArn']} lets nobody accept")
        client("ec2", owner, region).accept_vpc_peering_connection(VpcPeeringConnectionId=made["VpcPeeringConnectionId"])
    return Played(made["VpcPeeringConnectionId"])


def balancer(stack, logical_id, properties):
    """By its API, for a template's is of no type in moto."""
    asked = {name: properties[name] for name in ("Type", "Scheme", "Subnets", "SecurityGroups")}
    balancing = client("elbv2", stack.account, stack.region)
    made = balancing.create_load_balancer(Name=f"{stack.name[:16]}-{logical_id[:15]}", **asked)["LoadBalancers"][0]
    balancing.modify_load_balancer_attributes(LoadBalancerArn=made["LoadBalancerArn"], Attributes=properties["LoadBalancerAttributes"])
    return Played(made["LoadBalancerArn"], {name: made[name] for name in ("DNSName",)})


def target_group(stack, logical_id, properties):
    balancing = client("elbv2", stack.account, stack.region)
    made = balancing.create_target_group(Name=properties["Name"], TargetType=properties["TargetType"])["TargetGroups"][0]
    return Played(made["TargetGroupArn"])


def certificate(stack, logical_id, properties):
    """Of AWS's own shape and in its place, for a listener looks whether it is there."""
    asked = {name: properties[name] for name in ("DomainName", "SubjectAlternativeNames", "ValidationMethod") if name in properties}
    return Played(client("acm", stack.account, stack.region).request_certificate(**asked)["CertificateArn"])


certificate.delete = lambda stack, one: client("acm", stack.account, stack.region).delete_certificate(CertificateArn=one.id)
balancer.delete = lambda stack, one: client("elbv2", stack.account, stack.region).delete_load_balancer(LoadBalancerArn=one.id)
target_group.delete = lambda stack, one: client("elbv2", stack.account, stack.region).delete_target_group(TargetGroupArn=one.id)
global_table.delete = lambda stack, one: client("dynamodb", stack.account, stack.region).delete_table(TableName=one.id)
secret.delete = lambda stack, one: client("secretsmanager", stack.account, stack.region).delete_secret(SecretId=one.id, ForceDeleteWithoutRecovery=True)
peering.delete = lambda stack, one: client("ec2", stack.account, stack.region).delete_vpc_peering_connection(VpcPeeringConnectionId=one.id)
PLAYED = {
    "AWS::DynamoDB::GlobalTable": global_table, "AWS::SecretsManager::Secret": secret, "AWS::EC2::VPCPeeringConnection": peering,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": balancer, "AWS::ElasticLoadBalancingV2::TargetGroup": target_group,
    "AWS::CertificateManager::Certificate": certificate,
}


def redirect(stack, old, properties):
    targets = {"GatewayId", "NatGatewayId", "NetworkInterfaceId", "VpcPeeringConnectionId"} & set(properties)
    client("ec2", stack.account, stack.region).replace_route(
        RouteTableId=properties["RouteTableId"], DestinationCidrBlock=properties["DestinationCidrBlock"], **{name: properties[name] for name in targets})


# ---- moto's API for stacks, answered from here ------------------------------------------------------------------------------------------------

class Map(dict):
    """What moto's Stack reads of its resources."""

    def __init__(self, stack_id, name, parameters, tags, account_id, region_name, template, cross_stack_resources):
        super().__init__()
        self.deployment = deployed.setdefault((account_id, region_name, name), Deployment(account_id, region_name, name))
        self.stack_id, self.resolved_parameters, self.no_echo_parameter_keys = stack_id, Previous(parameters), []
        self.clear_and_fill()

    def clear_and_fill(self):
        self.clear()
        self.update({name: one.real for name, one in self.deployment.resources.items()})

    def load(self):
        pass

    def build_change_set_actions(self, template):
        return {"Add": {"Something": {"ResourceType": "changes"}}}


class Outputs(dict):
    def __init__(self, resource_map, template, stack_id):
        super().__init__({name: parsing.Output(name, value, "") for name, value in resource_map.deployment.outputs.items()})
        self.exports = []


def execute(backend, change_set_name, stack_name=None):
    change_set = backend.describe_change_set(change_set_name)
    stack, creates = change_set.stack, change_set.change_set_type == "CREATE"
    deployment = stack.resource_map.deployment
    try:
        deployment.deploy(change_set.template_dict, change_set.parameters, stack.stack_id)
        stack.status = "CREATE_COMPLETE" if creates else "UPDATE_COMPLETE"
        stack.parameters, stack.template = change_set.parameters, change_set.template
        stack.resource_map.resolved_parameters = Previous(deployment.raw)
    except Exception as e:
        print(f"   FAILED: {stack.name}: {getattr(e, 'message', None) or repr(e)}", flush=True)
        if creates:
            stack.status = "ROLLBACK_FAILED" if deployment.roll_back() else "ROLLBACK_COMPLETE"
        else:
            stack.status = "UPDATE_ROLLBACK_COMPLETE"
    stack.resource_map.clear_and_fill()
    stack.output_map = stack._create_output_map()
    change_set.execution_status = "EXECUTE_COMPLETE"


def delete_stack(backend, name_or_stack_id):
    for stack in [one for one in backend.stacks.values() if name_or_stack_id in (one.stack_id, one.name)]:
        stack.resource_map.deployment.take_down()
        del deployed[(backend.account_id, backend.region_name, stack.name)]
        backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
        stack.status = "DELETE_COMPLETE"


def move_labels(secret, version, version_id):
    """A new version takes its labels from the others; the current one becomes the previous one, and other labels stay where they are. Not so in moto."""
    for one in secret.versions.values():
        was_current = "AWSCURRENT" in one["version_stages"]
        kept = [label for label in one["version_stages"] if label != "AWSPREVIOUS" and label not in version["version_stages"]]
        one["version_stages"] = kept + ["AWSPREVIOUS"] * was_current
    secret.versions[version_id] = version
    secret.default_version_id = version_id


def install():
    FakeSecret.reset_default_version = move_labels
    models.ResourceMap, models.OutputMap = Map, Outputs
    models.CloudFormationBackend.execute_change_set = execute
    models.CloudFormationBackend.delete_stack = delete_stack

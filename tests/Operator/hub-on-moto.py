"""AWS with a hub's network in it, on loopback, until its input ends. Prints its address.

moto's services under CloudFormation's rules of infra/rehearsal, one account for the hub and one for a tenant; the network is that of infra/network.template.
"""
import logging
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
root = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(root / "infra"))
try:
    import awscli  # noqa: F401
    import boto3
    from moto.server import ThreadedMotoServer
    from rehearsal import cloudformation
    from moto.route53.models import FakeZone, route53_backends
except ImportError as e:
    print(f"SKIPPED: moto with its server (pip install 'moto[server,cloudformation]' awscli): {e}", flush=True)
    sys.exit(0)

hub, zone = "111111111111", "Z0123456789"
logging.getLogger("werkzeug").setLevel(logging.ERROR)
output, sys.stdout = sys.stdout, sys.stderr
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
url = "http://localhost:%d" % server.get_host_and_port()[1]
os.environ.update(AWS_ENDPOINT_URL=url, AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true", AWS_PAGER="", AWS_CONFIG_FILE="/dev/null")
os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_SHARED_CREDENTIALS_FILE="/dev/null")


def credentials(account):
    return boto3.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/test", RoleSessionName="test")["Credentials"]


def client(service, account, region):
    one = credentials(account)
    return boto3.client(service, region_name=region, endpoint_url=url, aws_access_key_id=one["AccessKeyId"],
                        aws_secret_access_key=one["SecretAccessKey"], aws_session_token=one["SessionToken"])


route53_backends[hub]["aws"].zones[zone] = FakeZone("example.com.", zone, False, "test", route53_backends[hub]["aws"])
cloudformation.client = client
cloudformation.install()
cloudformation.fail_once.add("EngineSecurityGroup")            # the first data plane's create
client("s3", hub, "us-east-1").create_bucket(Bucket="example-state")
one = credentials(hub)
environment = {"AWS_ACCESS_KEY_ID": one["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": one["SecretAccessKey"], "AWS_SESSION_TOKEN": one["SessionToken"]}
subprocess.run([sys.executable, "-m", "awscli", "cloudformation", "deploy", "--stack-name", "network", "--template-file", "infra/network.template",
                "--s3-bucket", "example-state", "--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides", "DomainName=example.com",
                f"HostedZoneId={zone}", "OrganizationId=o-0123456789", "AlarmEmail=oncall@example.com", "NatImage=ami-0123456789abcdef0"],
               cwd=root, env={**os.environ, **environment}, check=True, stdout=sys.stderr)
print(url, *environment.values(), file=output, flush=True)
sys.stdin.read()

#!/bin/bash
# The first boot of an engine host: it takes its tenant's volume and address, and becomes the data plane that the stack's package makes of a machine.
# Which ones, it reads from its own tags. `node infra/scripts.mjs` writes this file into the template.
set -euo pipefail

token=$(curl -sf --retry 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 3600' http://169.254.169.254/latest/api/token)
metadata() { curl -sf --retry 5 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"; }
tag() { metadata "tags/instance/$1"; }

instance=$(metadata instance-id)
AWS_DEFAULT_REGION=$(metadata placement/region)
export AWS_DEFAULT_REGION AWS_PAGER='' AWS_DEFAULT_OUTPUT=text

# The stack waits for this word. Outside of a stack's change nobody does, and CloudFormation refuses it; an instance that failed is replaced all the same.
tell() {
    local failed=$?
    if [ $failed = 0 ]; then word=SUCCESS; else word=FAILURE; fi
    aws cloudformation signal-resource --stack-name "$(tag EngineStack)" --logical-resource-id "$(tag EngineGroup)" --unique-id "$instance" --status $word || true
    [ $failed = 0 ] || aws autoscaling set-instance-health --instance-id "$instance" --health-status Unhealthy --no-should-respect-grace-period
}
trap tell EXIT

retry() { # how often, what
    local tries=$1
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 5
    done
}

# Of the image's own release: only another image brings other packages.
retry 60 dnf install -y amazon-cloudwatch-agent nodejs22 nodejs22-npm postgresql16-server rsyslog
systemctl enable --now rsyslog
[ "$(tag EngineGpu)" = false ] || nvidia-smi -L

# The volume is taken from nobody: two databases on it would spoil it. The instance before is gone by now, or soon.
volume=$(tag EngineVolume) data=/var/lib/data-plane
disk=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/}
holder() { aws ec2 describe-volumes --volume-ids "$volume" --query 'Volumes[0].Attachments[0].InstanceId'; }
take() { [ "$(holder)" = "$instance" ] || aws ec2 attach-volume --volume-id "$volume" --instance-id "$instance" --device /dev/sdf; }
there() { [ -e "$disk" ]; }
retry 120 take
retry 60 there
# 2 is blkid's word for a disk with nothing on it. One that it cannot read is not formatted.
found=0
blkid --probe "$disk" || found=$?
case $found in
    0) ;;
    2) mkfs.xfs "$disk" ;;
    *) exit 1 ;;
esac
mkdir -p $data
grep -q " $data " /etc/fstab || echo "$disk $data xfs defaults,nofail,x-systemd.device-timeout=5min 0 2" >> /etc/fstab
systemctl daemon-reload
mountpoint -q $data || mount $data
xfs_growfs $data

# Whom the hub calls stays the same from instance to instance.
address=$(tag EngineAddress) mac=$(metadata mac)
device=$(ip -o link | awk -v mac="$mac" 'index($0, "link/ether " mac) { sub(/[:@].*/, "", $2); print $2; exit }')
interface=$(metadata "network/interfaces/macs/$mac/interface-id")
retry 12 aws ec2 assign-private-ip-addresses --network-interface-id "$interface" --private-ip-addresses "$address" --allow-reassignment
cat > /etc/systemd/system/engine-address.service << UNIT
[Unit]
Description=The engine's address, beside this machine's own
Wants=network-online.target
After=network-online.target
Before=n8n.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/ip address replace $address/32 dev $device
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable --now engine-address

work=$(mktemp -d)
retry 12 aws s3 cp --only-show-errors "s3://$(tag EnginePackage)" "$work/package.tar.gz"
sha256sum --check --quiet <<< "$(tag EnginePackageSha256)  $work/package.tar.gz"
tar -xzf "$work/package.tar.gz" -C "$work" --strip-components=1
database=$(tag EngineDatabase) more=()
if [ "$database" != host ]; then
    # What AWS signs its databases' certificates with is in no image.
    retry 12 curl -sf -o "$work/database-ca.pem" "https://truststore.pki.rds.amazonaws.com/$AWS_DEFAULT_REGION/$AWS_DEFAULT_REGION-bundle.pem"
    more=(--database "$database" --database-secret "$(tag EngineDatabaseSecret)" --database-ca "$work/database-ca.pem")
fi
mkdir -p /opt/n8n
cp "$work"/n8n/package*.json /opt/n8n
retry 6 npm ci --prefix /opt/n8n --omit=dev --ignore-scripts --no-audit --no-fund
"$work/host/install" --tenant "$(tag TenantID)" --private-api "$(tag EnginePrivateApi)" --control-plane "$(tag EngineControlPlane)" --n8n /opt/n8n --listen "$address" \
    --sidecar "$work/sidecar.tar.gz" --enrol aws --region "$AWS_DEFAULT_REGION" \
    --metrics "$(tag EngineMetrics)" --logs "$(tag EngineLogs)" --backups "$(tag EngineBackups)" "${more[@]}"

# What needs the hub goes on by itself, when the hub has routes and a record of this tenant. The rest has to stand.
retry 24 systemctl is-active n8n-database

#!/bin/bash
# The first boot of a NAT instance: it claims its zone's interface, which routes lead to, and its zone's address, and translates.
# Which ones, it reads from its own tags. `node infra/scripts.mjs` writes this file into the templates.
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
    aws cloudformation signal-resource --stack-name "$(tag NatStack)" --logical-resource-id "$(tag NatGroup)" --unique-id "$instance" --status $word || true
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

# 512 MB are too few for dnf: it was seen killed.
if ! swapon --show | grep -q .; then
    fallocate -l 1G /var/swapfile
    chmod 600 /var/swapfile
    mkswap -q /var/swapfile
    swapon /var/swapfile
    echo '/var/swapfile none swap defaults 0 0' >> /etc/fstab
fi
command -v nft > /dev/null || retry 60 dnf install -y nftables

mac=$(metadata mac)
macs=network/interfaces/macs
range=$(metadata "$macs/$mac/vpc-ipv4-cidr-block")
primary=$(metadata "$macs/$mac/interface-id")
interface=$(tag NatInterface)
device() { ip -o link | awk -v mac="$1" 'index($0, "link/ether " mac) { sub(/[:@].*/, "", $2); print $2; exit }'; }

echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-nat.conf
sysctl -q -p /etc/sysctl.d/90-nat.conf

# 192.0.2.0/30 is where the check below stands.
mkdir -p /etc/nftables
cat > /etc/nftables/nat.nft << RULES
table ip nat
delete table ip nat
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "$(device "$mac")" ip saddr { $range, 192.0.2.0/30 } masquerade
    }
}
RULES
echo 'include "/etc/nftables/nat.nft"' > /etc/sysconfig/nftables.conf
nft -f /etc/nftables/nat.nft
systemctl enable nftables

cat > /usr/local/sbin/nat-check << 'CHECK'
#!/bin/bash
# Does a connection from behind this instance get out? It is made in a network of its own, so that it is forwarded and translated like any other.
# CloudWatch is told every minute; after three failures in a row the Auto Scaling group is asked for another instance. `nat-check try` only tries.
set -euo pipefail
set -a
. /etc/nat.conf
set +a

gets_out() {
    local address
    ip netns list | grep -q '^nat-check' || {
        ip netns add nat-check &&
            ip link add nat-check type veth peer name eth0 netns nat-check &&
            ip address add 192.0.2.1/30 dev nat-check &&
            ip link set nat-check up &&
            ip -n nat-check address add 192.0.2.2/30 dev eth0 &&
            ip -n nat-check link set eth0 up &&
            ip -n nat-check route add default via 192.0.2.1
    } || return
    address=$(getent ahostsv4 "ec2.$AWS_DEFAULT_REGION.amazonaws.com" | awk '{ print $1; exit }')
    [ -n "$address" ] && ip netns exec nat-check timeout 5 bash -c ": < /dev/tcp/$address/443"
}
if [ "${1:-}" = try ]; then gets_out; exit; fi

# Answers leave by the interface that the question came in by, so that its security group knows them.
# Linux forgets such a route when it configures the link anew.
leads_back() {
    ip link set "$device" up && ip route replace "$range" via "$(ip -o -4 route show default | awk '{ print $3; exit }')" dev "$device" onlink
}

failures=0
[ ! -e /run/nat-failures ] || read -r failures < /run/nat-failures
if leads_back && gets_out; then
    failures=0 value=1
else
    failures=$((failures + 1)) value=0
fi
echo $failures > /run/nat-failures
aws cloudwatch put-metric-data --namespace "$namespace" --metric-name NatForwards --dimensions "Nat=$name" --value $value
[ $failures -lt 3 ] || aws autoscaling set-instance-health --instance-id "$instance" --health-status Unhealthy
[ $value = 1 ]
CHECK
chmod 755 /usr/local/sbin/nat-check
printf '%s=%q\n' instance "$instance" AWS_DEFAULT_REGION "$AWS_DEFAULT_REGION" range "$range" namespace "$(tag NatMetrics)" name "$(tag Name)" > /etc/nat.conf

# Nothing is taken from an instance that works by one that does not. The interface first: while the other has its address, it can still ask to be replaced.
retry 6 /usr/local/sbin/nat-check try
claim() {
    local holder attachment
    read -r holder attachment <<< "$(aws ec2 describe-network-interfaces --network-interface-ids "$interface" \
        --query 'NetworkInterfaces[0].Attachment.[InstanceId, AttachmentId]')"
    [ "$holder" != "$instance" ] || return 0
    [ "$holder" = None ] || aws ec2 detach-network-interface --attachment-id "$attachment" --force || true
    aws ec2 attach-network-interface --network-interface-id "$interface" --instance-id "$instance" --device-index 1
}
retry 60 claim
second=$(aws ec2 describe-network-interfaces --network-interface-ids "$interface" --query 'NetworkInterfaces[0].MacAddress')
there() { [ -n "$(device "$second")" ]; }
retry 60 there
printf 'device=%q\n' "$(device "$second")" >> /etc/nat.conf
retry 60 aws ec2 associate-address --allocation-id "$(tag NatAddress)" --network-interface-id "$primary" --allow-reassociation

cat > /etc/systemd/system/nat-check.service << 'UNIT'
[Unit]
Description=Does this NAT instance forward?
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/nat-check
UNIT
cat > /etc/systemd/system/nat-check.timer << 'UNIT'
[Unit]
Description=Ask every minute
[Timer]
OnCalendar=minutely
[Install]
WantedBy=timers.target
UNIT
systemctl daemon-reload
systemctl enable --now nat-check.timer

# With another address AWS does not answer for some seconds.
retry 6 /usr/local/sbin/nat-check

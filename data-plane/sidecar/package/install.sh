#!/bin/sh
# Installs the metering sidecar, or a newer one over it. Run it as root, in the folder that the archive was unpacked to.
#
#   ./install.sh --url URL --tenant tenant-N [--instance ID]     the first time: what the operator of the control plane gave you
#       --enrol CODE | --enrol aws                               … and have the key registered, by the operator's one-time code or by this EC2 instance's role
#   ./install.sh                                                 an update: configuration, key and state stay as they are
#
# /opt/metering-sidecar has the program, /etc/metering-sidecar/sidecar.conf the options, /var/lib/metering-sidecar the key and what waits.
# It prints the key id and the public key, which the operator registers where --enrol did not, and starts the service.
set -eu
cd "$(dirname "$0")"
program=/opt/metering-sidecar/metering-sidecar conf=/etc/metering-sidecar/sidecar.conf state=/var/lib/metering-sidecar user=metering-sidecar

fail() { echo "install.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail 'run it as root'
url='' tenant='' instance='' enrol=''
while [ $# -gt 0 ]; do
    case $1 in
        --url | --tenant | --instance | --enrol)
            [ $# -gt 1 ] || fail "$1 wants a value"
            case $1 in --url) url=$2 ;; --tenant) tenant=$2 ;; --instance) instance=$2 ;; --enrol) enrol=$2 ;; esac
            shift ;;
        -h | --help) sed -n 's/^# \{0,1\}//p' "$0" | tail -n +2; exit ;;
        *) fail "what is meant by '$1'? ./install.sh --help" ;;
    esac
    shift
done

# A stranger's tar may have unpacked for another machine: better said here than by the loader.
./metering-sidecar --help > /dev/null || fail "this machine cannot run it: $(uname -m), and glibc 2.34 or later is needed"

id -u "$user" > /dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir "$state" --shell /usr/sbin/nologin "$user"
install -d -m 755 /opt/metering-sidecar /etc/metering-sidecar
install -d -m 700 -o "$user" -g "$user" "$state"
for file in metering-sidecar libsodium.so; do
    # Over a running program nothing can be written; beside it, and then in its place.
    install -m 755 "$file" "/opt/metering-sidecar/$file.new"
    mv "/opt/metering-sidecar/$file.new" "/opt/metering-sidecar/$file"
done
install -m 644 metering-sidecar.service /etc/systemd/system/metering-sidecar.service
[ -e "$conf" ] || install -m 644 sidecar.conf "$conf"
set_option() { # name, value
    [ -n "$2" ] || return 0
    grep -v "^#\{0,1\}$1 *=" "$conf" > "$conf.new" || true
    printf '%s = %s\n' "$1" "$2" >> "$conf.new"
    chmod 644 "$conf.new"
    mv "$conf.new" "$conf"
}
set_option url "$url"
set_option tenant "$tenant"
set_option instance "$instance"
for name in url tenant; do
    grep -q "^$name *=" "$conf" || fail "$conf lacks url or tenant: ./install.sh --url URL --tenant tenant-N"
done

runuser -u "$user" -- "$program" --make-key
[ -z "$enrol" ] || runuser -u "$user" -- "$program" --enrol "$enrol"
systemctl daemon-reload
systemctl enable metering-sidecar.service
systemctl restart metering-sidecar.service

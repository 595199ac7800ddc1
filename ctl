#!/bin/sh
# The operator's tool, built when something changed since it was built last. See ./ctl --help and docs/operations.md.
set -e
here=$(cd "$(dirname "$0")" && pwd)
command -v dotnet >/dev/null || { echo "The .NET SDK is missing: install $(sed -n 's/.*"version": "\([0-9]*\.[0-9]*\).*/\1/p' "$here/global.json")." >&2; exit 1; }
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
built="$here/operator/bin/Debug/net10.0/ControlPlane.Operator.dll"
if [ ! -e "$built" ] || [ -n "$(cd "$here" && find operator shared aws-compat Directory.* \( -name obj -o -name bin \) -prune -o -type f -newer "$built" -print | head -n 1)" ]; then
    said=$(dotnet build "$here/operator" -v q -nologo -clp:ErrorsOnly 2>&1) || { echo "$said" >&2; exit 1; }
    touch "$built"
fi
exec dotnet "$built" "$@"

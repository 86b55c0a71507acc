#!/usr/bin/env bash
# Builds the RPM package of the client: PROGRAM=target/release/vitals scripts/release/rpm.sh
#
#   ARCHITECTURE   amd64 or arm64; this machine's if empty
#   NATIVE         the program for this machine, if PROGRAM is not
#   OUTPUT         the folder of the package, target/rpm if empty
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v rpmbuild >/dev/null; then
  echo "make rpm: rpmbuild is missing (Debian's package rpm, Fedora's rpm-build)" >&2
  exit 1
fi
case "${ARCHITECTURE:-}" in
  "") target=() ;;
  amd64) target=(--target x86_64) ;;
  arm64) target=(--target aarch64) ;;
  *) echo "ARCHITECTURE=$ARCHITECTURE: write amd64 or arm64" >&2; exit 2 ;;
esac

PROGRAM=$(realpath "${PROGRAM:?which program?}")
NATIVE=$(realpath "${NATIVE:-$PROGRAM}")
export PROGRAM NATIVE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rpmbuild --quiet -bb "${target[@]}" --define "_topdir $work" --define "kubevitals_sources $PWD" \
  --define "kubevitals_version $(./scripts/release/version.sh)" deploy/rpm/kubevitals.spec
mkdir -p "${OUTPUT:=target/rpm}"
cp "$work"/RPMS/*/*.rpm "$OUTPUT"

#!/usr/bin/env bash
# Packs the client with its man pages and completions, the same each time: PROGRAM=… scripts/release/archive.sh ARCHITECTURE FOLDER
#
#   NATIVE   the program for this machine, if PROGRAM is not
set -euo pipefail
cd "$(dirname "$0")/../.."

architecture=${1:?which architecture?}
output=$(realpath -m "${2:?where is the archive to go?}")
version=$(./scripts/release/version.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work PREFIX=/tree ./scripts/install.sh
# The program at the top, where krew and people look for it.
mv "$work/tree/bin/vitals" "$work/tree/vitals"
rm -r "$work/tree/bin"
cp LICENSE README.md "$work/tree"
mkdir -p "$output"
tar --directory "$work/tree" --create --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
  --mtime="@${SOURCE_DATE_EPOCH:-0}" --file - LICENSE README.md share vitals |
  gzip --no-name --best >"$output/vitals-$version-linux-$architecture.tar.gz"

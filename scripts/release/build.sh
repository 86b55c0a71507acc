#!/usr/bin/env bash
# Builds everything that is made for one architecture, on a machine of it: scripts/release/build.sh amd64|arm64 FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."

export ARCHITECTURE=${1:?which architecture?}
OUTPUT=$(realpath -m "${2:?where is it to go?}")
export OUTPUT
version=$(./scripts/release/version.sh)

for program in vitals vitals-server; do
  ./scripts/static.sh "$program" "$ARCHITECTURE" "target/static/$ARCHITECTURE/$program"
done
export PROGRAM=target/static/$ARCHITECTURE/vitals
./scripts/release/archive.sh "$ARCHITECTURE" "$OUTPUT"
./scripts/release/deb.sh
./scripts/release/rpm.sh
install -m 755 "target/static/$ARCHITECTURE/vitals-server" "$OUTPUT/vitals-server-$version-linux-$ARCHITECTURE"

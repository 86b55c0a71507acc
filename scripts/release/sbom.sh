#!/usr/bin/env bash
# Writes an SBOM (CycloneDX) of each program into FOLDER: scripts/release/sbom.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."

output=$(realpath -m "${1:?where is it to go?}")
version=$(./scripts/release/version.sh)
if ! cargo cyclonedx --version >/dev/null 2>&1; then
  echo "sbom.sh: cargo-cyclonedx is missing: cargo install --locked cargo-cyclonedx" >&2
  exit 1
fi
mkdir -p "$output"
# It writes a file beside each Cargo.toml of the workspace.
name=sbom-$$
trap 'rm -f ./*/"$name.json"' EXIT
cargo cyclonedx --quiet --format json --spec-version 1.5 --target all --override-filename "$name"
install -m 644 "tui/$name.json" "$output/vitals-$version.cdx.json"
install -m 644 "server/$name.json" "$output/vitals-server-$version.cdx.json"

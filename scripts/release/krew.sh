#!/usr/bin/env bash
# Writes the krew manifest of the archives in FOLDER into it: scripts/release/krew.sh OWNER/REPOSITORY FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."

repository=${1:?which repository?}
folder=${2:?where are the archives?}
version=$(./scripts/release/version.sh)
sum() {
  sha256sum "$folder/vitals-$version-linux-$1.tar.gz" | cut -d' ' -f1
}
amd64=$(sum amd64)
arm64=$(sum arm64)
sed -e '/^#/d' -e "s#@VERSION@#$version#g" -e "s#@REPOSITORY@#$repository#g" -e "s#@SHA256_AMD64@#$amd64#" \
  -e "s#@SHA256_ARM64@#$arm64#" deploy/krew/vitals.yaml >"$folder/vitals.yaml"

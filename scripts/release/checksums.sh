#!/usr/bin/env bash
# Writes SHA256SUMS of all files in a folder into it: scripts/release/checksums.sh FOLDER
set -euo pipefail
cd "${1:?which folder?}"

find . -maxdepth 1 -type f ! -name '*SHA256SUMS' -printf '%f\0' | LC_ALL=C sort -z | xargs -0 sha256sum -- >.SHA256SUMS
mv .SHA256SUMS SHA256SUMS

#!/usr/bin/env bash
# Prints what CHANGELOG.md says of this version.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(./scripts/release/version.sh)
awk -v version="$version" '/^## / { shown = index($2, version) } shown && !/^## /' CHANGELOG.md

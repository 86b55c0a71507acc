#!/usr/bin/env bash
# Builds the image for both architectures and pushes it, with its SBOM and provenance: scripts/release/image.sh IMAGE
# With PRINT=1 it only prints the commands.
set -euo pipefail
cd "$(dirname "$0")/../.."

image=${1:?which image?}
version=$(./scripts/release/version.sh)
run() {
  if [ "${PRINT:-0}" = 1 ]; then echo "$*"; else "$@"; fi
}

# The default builder cannot build for several architectures at once.
run docker buildx create --use --name kubevitals
run docker buildx build --platform linux/amd64,linux/arm64 --build-arg "VERSION=$version" \
  --build-arg "REVISION=$(git rev-parse HEAD)" --provenance mode=max --sbom true --tag "$image:$version" --push .

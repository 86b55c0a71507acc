#!/usr/bin/env bash
# Makes the pictures of README anew: what the dashboard draws of a simulated cluster with the server on it, a run that
# is the same each time.
# A test holds that they are what would be drawn now.
set -euo pipefail
cd "$(dirname "$0")/.."
KUBEVITALS_WRITE_PICTURES=1 cargo test --quiet --locked -p kubevitals --test it pictures::
git status --short docs/pictures

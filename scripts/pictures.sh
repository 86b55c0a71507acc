#!/usr/bin/env bash
# Draws the pictures of README and the screens of docs/walk.md again. They come from the dashboard on a simulated
# cluster with the server; each run is the same. A test compares them.
set -euo pipefail
cd "$(dirname "$0")/.."
KUBEVITALS_WRITE_PICTURES=1 cargo test --quiet --locked -p kubevitals --test it pictures::
git status --short docs/pictures

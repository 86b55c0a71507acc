#!/usr/bin/env bash
# Packs the Helm chart as `helm package` does, without helm and the same each time: scripts/release/chart.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."

output=$(realpath -m "${1:?where is the chart to go?}")
version=$(./scripts/release/version.sh)
mkdir -p "$output"
# What .helmignore names stays out. Patterns of tar match at any depth, those here have a slash.
sed '/^#/d; /^$/d; s#^#vitals-server/#; s#/$##' deploy/helm/vitals-server/.helmignore |
  tar --directory deploy/helm --create --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    --mtime="@${SOURCE_DATE_EPOCH:-0}" --exclude-from=- --file - vitals-server |
  gzip --no-name --best >"$output/vitals-server-$version.tgz"

#!/usr/bin/env bash
# Prints the version. With a tag, fails if the tag, the chart or the changelog is of another one:
# scripts/release/version.sh [vVERSION]
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
if [ -n "${1:-}" ]; then
  fail() { echo "version.sh: $1" >&2; exit 1; }
  [ "$1" = "v$version" ] || fail "the tag is $1, and Cargo.toml has $version"
  chart=deploy/helm/vitals-server/Chart.yaml
  grep -q "^version: $version\$" "$chart" || fail "$chart has another version than $version"
  grep -q "^appVersion: \"$version\"\$" "$chart" || fail "$chart has another appVersion than $version"
  grep -q "^## \[\?$version\]\?" CHANGELOG.md || fail "CHANGELOG.md has no section for $version"
fi
echo "$version"

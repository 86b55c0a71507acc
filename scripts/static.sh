#!/usr/bin/env bash
# Builds a program as one static binary: scripts/static.sh PROGRAM ARCHITECTURE OUTPUT
#
# PROGRAM is vitals-server or vitals. ARCHITECTURE is amd64 or arm64; the machine may be either. The script needs
# Debian's gcc for that architecture and the Rust target; with INSTALL=1 it installs them. With PRINT=1 it only prints
# the commands.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  echo "usage: scripts/static.sh vitals-server|vitals amd64|arm64 OUTPUT" >&2
  exit 2
}

case "${1:-}" in
  vitals-server) package=kubevitals-server ;;
  vitals) package=kubevitals ;;
  *) usage ;;
esac
case "${2:-}" in
  amd64) triple=x86_64-unknown-linux-gnu gnu=x86_64-linux-gnu packages="gcc-x86-64-linux-gnu libc6-dev-amd64-cross" ;;
  arm64) triple=aarch64-unknown-linux-gnu gnu=aarch64-linux-gnu packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;;
  *) usage ;;
esac
program=$1
output=${3:?where is the binary to go?}

run() {
  if [ "${PRINT:-0}" = 1 ]; then echo "$*"; else "$@"; fi
}

if [ "${INSTALL:-0}" = 1 ]; then
  # The machine's own compiler has this name too.
  if ! command -v "$gnu-gcc" >/dev/null; then
    run apt-get update -qq
    # shellcheck disable=SC2086 # two packages
    run apt-get install -y -qq --no-install-recommends $packages
  fi
  run rustup target add "$triple"
fi

# glibc is linked statically: it needs nothing from the image, and resolves names by /etc/resolv.conf and /etc/hosts.
# ring, aws-lc and jemalloc contain C code, so this needs a C compiler.
under=${triple//-/_}
export "CC_$under=$gnu-gcc" "AR_$under=$gnu-ar"
export "CARGO_TARGET_${under^^}_LINKER=$gnu-gcc" "CARGO_TARGET_${under^^}_RUSTFLAGS=-Ctarget-feature=+crt-static"
# It would take the place of the one above.
unset RUSTFLAGS
# Kernels for arm64 have pages of 4, 16 or 64 KiB; an allocator made for the largest works on all of them.
if [ "$2" = arm64 ]; then export JEMALLOC_SYS_WITH_LG_PAGE=16; fi

run cargo build --release --locked --target "$triple" --package "$package" --bin "$program"
run install -D -m 755 "${CARGO_TARGET_DIR:-target}/$triple/release/$program" "$output"

#!/usr/bin/env bash
# Builds the Debian package of the client: PROGRAM=target/release/vitals scripts/release/deb.sh [OPTION OF CARGO-DEB …]
#
#   ARCHITECTURE   amd64 or arm64; this machine's if empty
#   NATIVE         the program for this machine, if PROGRAM is not
#   OUTPUT         the folder of the package, target/debian if empty
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! cargo deb --version >/dev/null 2>&1; then
  echo "make deb: cargo-deb is missing: cargo install --locked cargo-deb" >&2
  exit 1
fi
case "${ARCHITECTURE:-}" in
  "") target=() ;;
  amd64) target=(--target x86_64-unknown-linux-gnu) ;;
  arm64) target=(--target aarch64-unknown-linux-gnu) ;;
  *) echo "ARCHITECTURE=$ARCHITECTURE: write amd64 or arm64" >&2; exit 2 ;;
esac

# Where the recipe in tui/Cargo.toml expects it.
rm -rf target/package
PREFIX=/usr DESTDIR=target/package ZSH=zsh/vendor-completions ./scripts/install.sh
mkdir -p "${OUTPUT:=target/debian}"
# --no-strip: the release is stripped.
cargo deb --quiet --locked --no-build --no-strip --package kubevitals "${target[@]}" --output "$OUTPUT" "$@"

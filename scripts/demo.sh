#!/usr/bin/env bash
# Builds and runs `vitals demo` with these arguments. The first build takes some minutes, so this says what will happen.
set -euo pipefail
cd "$(dirname "$0")/.."

# Without jemalloc, which takes a third of the build (tui/Cargo.toml).
flags=(--profile demo --locked --package kubevitals --bin vitals --no-default-features --features demo)
# Incremental compilation makes the first build slower.
export CARGO_INCREMENTAL=0

build() {
  "${CARGO:-cargo}" build "${flags[@]}"
}

# Repeats the announcement every minute: cargo prints a line for each crate, so it scrolls away.
remind() {
  local minutes=0 never
  exec {never}<> <(:)
  while ! read -rt 60 -u "$never"; do
    minutes=$((minutes + 1))
    # Removes cargo's progress bar, which cargo draws again.
    printf '\r\e[K%s\n' "make demo: $minutes of about 3 minutes. Then the demo starts here; q ends it." >&2
  done
}

if [ -e "${CARGO_TARGET_DIR:-target}/demo/vitals" ]; then
  build
else
  cat >&2 <<'END'
make demo builds the program vitals. The first build takes about 3 minutes on two cores.
Then the demo starts here, a simulated Kubernetes cluster with its dashboard: ? lists the keys, q ends it.
END
  if [ -t 2 ]; then
    (
      remind &
      # shellcheck disable=SC2064 # this process
      trap "kill $!" EXIT
      build
    )
  else
    build
  fi
fi
exec "${CARGO:-cargo}" run --quiet "${flags[@]}" -- demo "$@"

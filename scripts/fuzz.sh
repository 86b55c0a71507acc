#!/usr/bin/env bash
# Runs every fuzz target for FUZZ_SECONDS (60), starting from the fixtures and the corpus of earlier runs. An input that
# crashes a target is stored under fuzz/artifacts, and the command that repeats the crash is printed.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo fuzz --version >/dev/null 2>&1; then
  echo "make fuzz needs cargo-fuzz: cargo install --locked cargo-fuzz" >&2
  exit 1
fi
if ! command -v c++ >/dev/null; then
  echo "make fuzz needs a C++ compiler for libFuzzer: apt-get install g++" >&2
  exit 1
fi

seconds=${FUZZ_SECONDS:-60}
kubelets=proto/tests/fixtures
# Each target, the feature that it needs, and the folders of its first inputs.
targets=${FUZZ_TARGETS:-resource summary probes exposition quantity selector path accept state}

for target in $targets; do
  case $target in
    resource | probes) seeds="$kubelets/kubelet-1.36 $kubelets/kubelet-other $kubelets/scenarios" ;;
    summary) seeds="$kubelets/kubelet-1.36 $kubelets/kubelet-other" ;;
    *) seeds=fuzz/seeds/$target ;;
  esac
  case $target in
    path | state) features="--features server" ;;
    *) features= ;;
  esac
  # The limit of memory is relative to the length of the input: some faults need long inputs.
  case $target in
    resource | summary | probes | exposition) longest="-max_len=1048576" ;;
    *) longest= ;;
  esac
  mkdir -p "fuzz/corpus/$target"
  echo "fuzzing $target for ${seconds}s"
  # No sanitizer: our code has no unsafe, and without a sanitizer the stable toolchain is enough. Overflow checks and
  # debug assertions are on.
  # shellcheck disable=SC2086 # These variables are lists.
  cargo fuzz run --sanitizer none $features "$target" "fuzz/corpus/$target" $seeds -- \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 $longest
done

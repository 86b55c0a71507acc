# Kubevitals. `make` alone tells what there is.
#
#   make demo   the product on a simulated cluster, in one process over real sockets
#   make test   everything that CI runs
#   make bench  the benchmarks, printed
#   make fuzz   every fuzz target for FUZZ_SECONDS=60; needs cargo-fuzz
#
# Both first targets install what they need on a fresh Debian machine with Rust.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
CARGO ?= cargo
# Results are the same with fewer jobs; memory is not.
export CARGO_TERM_COLOR ?= auto
export CARGO_INCREMENTAL ?= 1

.PHONY: help demo test bench fuzz fmt clippy doc deny tools build

help:
	@sed -n 's/^#   /  /p' Makefile

demo:
	$(CARGO) run --release --locked --bin vitals -- demo $(ARGS)

# The order is: what fails fastest first.
test: tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(MAKE) --no-print-directory deny
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked
	$(CARGO) test --workspace --doc --locked
	$(CARGO) nextest run --workspace --locked

bench:
	$(CARGO) build --release --locked --bin vitals-sim --bin vitals-server --bin vitals
	$(CARGO) bench --locked -p kubevitals-proto
	$(CARGO) bench --locked -p kubevitals-server

fuzz:
	@./scripts/fuzz.sh

# Licences, sources and doubled crates, where cargo-deny is installed: to build it takes longer than all else.
deny:
	@if command -v cargo-deny >/dev/null; then \
	  cargo deny --log-level error check bans licenses sources; \
	else \
	  echo "cargo-deny is not installed: licences and sources of dependencies are not checked here"; \
	fi

# What tests need beside Rust: cargo-nextest, and a real kubectl.
tools:
	@./scripts/tools.sh

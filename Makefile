# Kubevitals. `make` alone tells what there is.
#
#   make demo   the product on a simulated cluster, in one process over real sockets
#   make test   everything that CI runs
#   make bench  the benchmarks, printed
#   make fuzz   every fuzz target for FUZZ_SECONDS=60; needs cargo-fuzz
#
# On a fresh Debian machine with Rust, `make test` installs what else it needs; `make demo` needs nothing else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
CARGO ?= cargo
# Results are the same with fewer jobs; memory is not.
export CARGO_TERM_COLOR ?= auto
export CARGO_INCREMENTAL ?= 1

.PHONY: help demo test fuzz-check bench fuzz fmt clippy doc deny tools build

help:
	@sed -n 's/^#   /  /p' Makefile

demo:
	$(CARGO) run --release --locked --bin vitals -- demo $(ARGS)

# The order is: what fails fastest first.
test: tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(MAKE) --no-print-directory deny
	$(MAKE) --no-print-directory fuzz-check
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked
	$(CARGO) test --workspace --doc --locked
	$(CARGO) nextest run --workspace --locked

bench:
	$(CARGO) build --release --locked --bin vitals-sim --bin vitals-server --bin vitals
	$(CARGO) bench --locked -p kubevitals-proto
	$(CARGO) bench --locked -p kubevitals-server
	$(CARGO) bench --locked -p kubevitals

# The fuzz targets are a workspace of their own: that they still build is seen here.
fuzz-check:
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	@if command -v c++ >/dev/null; then \
	  RUSTFLAGS="--cfg fuzzing" $(CARGO) check --locked --manifest-path fuzz/Cargo.toml --all-features; \
	else \
	  echo "there is no C++ compiler for libFuzzer: that the fuzz targets build is not checked here"; \
	fi

fuzz:
	@./scripts/fuzz.sh

# Licences, sources and forbidden crates, by deny.toml. `make tools` installs cargo-deny.
deny:
	$(CARGO) deny --log-level error check bans licenses sources

# What tests need beside Rust: cargo-nextest, cargo-deny, a real kubectl and a real Prometheus.
tools:
	@./scripts/tools.sh

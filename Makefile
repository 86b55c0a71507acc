# Kubevitals. `make` prints this list:
#
#   make demo   run the product on a simulated cluster, in one process over real sockets
#   make test   run everything that CI runs
#   make install PREFIX=~/.local
#               build and install the client: vitals, kubectl vitals, man pages, completions; `make uninstall` removes
#               them. DESTDIR= writes below another folder; PROGRAM= installs a program that is built already
#   make deb    build a Debian package of the client into target/debian; needs cargo-deb
#   make rpm    build an RPM package of the client into target/rpm; needs rpmbuild
#   make bench  run and print the benchmarks
#   make bench-scale NODES=5000 PODS=30
#               measure the server on a simulated cluster; SECONDS=, HISTORY= (minutes), LOAD= (minutes),
#               STRACE= (seconds), JSON=file, SERVER_CMD='name=command' for another server beside it (docs/benchmarks.md)
#   make bench-pod-metrics
#               measure pods' own metrics (1,000 pods of 500 series) beside a Prometheus with the same targets
#   make bench-shards SHARDS=1,2,4
#               measure several shards on one cluster of NODES= nodes, one killed and one added under load
#   make bench-scaling
#               the same for each of SIZES=100,500,1000,2500,5000; writes docs/scaling.json, tables and the plot
#   make fuzz   run every fuzz target for FUZZ_SECONDS=60; needs cargo-fuzz
#
# On a fresh Debian machine with Rust, `make test` installs the other tools that it needs; `make demo` needs none.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
CARGO ?= cargo
export CARGO_TERM_COLOR ?= auto
export CARGO_INCREMENTAL ?= 1

.PHONY: help demo test install uninstall client deb rpm fuzz-check bench bench-programs bench-scale bench-shards \
  bench-pod-metrics bench-scaling fuzz \
  deny tools

help:
	@sed -n 's/^#   /  /p' Makefile

demo:
	@CARGO="$(CARGO)" ./scripts/demo.sh $(ARGS)

PREFIX ?= /usr/local
CLIENT = $(or $(PROGRAM),$(or $(CARGO_TARGET_DIR),target)/release/vitals)
INSTALL = PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' PROGRAM='$(CLIENT)' ./scripts/install.sh

client:
	$(if $(PROGRAM),,$(CARGO) build --release --locked --package kubevitals --bin vitals)

install: client
	@$(INSTALL)

uninstall:
	@$(INSTALL) uninstall

deb: client
	@PROGRAM='$(CLIENT)' ./scripts/release/deb.sh

rpm: client
	@PROGRAM='$(CLIENT)' ./scripts/release/rpm.sh

# Many tests run a program and wait for its screen: two for each processor keep it busy.
TEST_THREADS ?= $(shell echo $$(( $$(nproc) * 2 )))

# The checks that fail fastest come first.
test: tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy --workspace --no-default-features --all-targets --locked -- -D warnings
	$(MAKE) --no-print-directory deny
	$(MAKE) --no-print-directory fuzz-check
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked
	$(CARGO) test --workspace --doc --locked
	$(CARGO) nextest run --workspace --locked --test-threads $(TEST_THREADS)

bench: bench-programs
	$(CARGO) bench --locked -p kubevitals-proto
	$(CARGO) bench --locked -p kubevitals-server --bench ingest --bench ring
	$(MAKE) --no-print-directory bench-scale NODES=7,667,1000,5000
	$(MAKE) --no-print-directory bench-pod-metrics
	$(CARGO) bench --locked -p kubevitals

bench-programs:
	$(CARGO) build --release --locked --bin vitals-sim --bin vitals-server --bin vitals

NODES ?= 1000
PODS ?= 30
SECONDS ?= 120
HISTORY ?= 60
LOAD ?= 0
STRACE ?= 0
SIZES ?= 100,500,1000,2500,5000
CLUSTER = $(CARGO) bench --locked -p kubevitals-server --bench cluster --
CLUSTER_OPTIONS = --pods $(PODS) --seconds $(SECONDS) --history $(HISTORY) --load $(LOAD) --strace $(STRACE) \
  $(if $(SERVER_CMD),--server-cmd '$(SERVER_CMD)') $(ARGS)

bench-scale: bench-programs
	$(CLUSTER) --nodes $(NODES) $(CLUSTER_OPTIONS) $(if $(JSON),--json '$(JSON)')

# So many nodes have 1,001 pods that expose metrics.
bench-pod-metrics: bench-programs
	$(CLUSTER) --pod-metrics --nodes 63 --pods 30 --seconds $(SECONDS) $(ARGS) $(if $(JSON),--json '$(JSON)')

SHARDS ?= 1,2,4

bench-shards:
	$(CARGO) bench --locked -p kubevitals-server --bench shards -- --nodes $(NODES) --pods $(PODS) --shards $(SHARDS)

bench-scaling: bench-programs
	$(CLUSTER) --nodes $(SIZES) $(CLUSTER_OPTIONS) --json docs/scaling.json
	$(CLUSTER) --render docs/scaling.json

# The fuzz targets are a workspace of their own. This checks them without libFuzzer, which is C++.
fuzz-check:
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	RUSTFLAGS="--cfg fuzzing" $(CARGO) check --locked --manifest-path fuzz/Cargo.toml --no-default-features --features server

fuzz:
	@./scripts/fuzz.sh

# Licences, sources and forbidden crates, by deny.toml. `make tools` installs cargo-deny.
deny:
	$(CARGO) deny --log-level error check bans licenses sources

# Installs what the tests need besides Rust: cargo-nextest, cargo-deny, a real kubectl and a real Prometheus; valgrind and
# strace, with which the gates count.
tools:
	@./scripts/tools.sh

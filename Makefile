# make run: the bridge on 127.0.0.1:2181.  make test: everything.  make check: what needs no Java, Go or root, in minutes.
# Needs Python 3.11, make and the package manager; what else the tests need is installed if we are root.

# One at a time: Debian's sh looks for the first word of a list only.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
ADDRESS ?= 127.0.0.1:2181
DATA_DIR ?= .zkbridge-data
LOG_LEVEL ?= info
PYTEST_WORKERS ?= 2
PYTEST_ARGS ?=
BENCH_ARGS ?=
SEEDS ?= 1000
FIRST ?= 1

# What `run` starts and `bench` measures: installed as at a user's, compiled if there is a C compiler; PURE=1: never.
# `run` starts on the plain build and compiles beside it, for the next start; COMPILED=1 waits, and so does `bench`.
RUN_VENV := .venv-run
PURE ?=
COMPILED ?=

.PHONY: run run-venv wheels dev peers lint check test simulate bench bench-etcd clean

run:
	@$(PYTHON) integration/peers/machine.py venv
	@exec $(PYTHON) -m integration.packaging.serve $(RUN_VENV) $(if $(filter-out 0,$(PURE)),--pure,$(if $(filter-out 0,$(COMPILED)),--compiled)) \
		-- serve --data-dir $(DATA_DIR) --client-addr $(ADDRESS) --log-level $(LOG_LEVEL)

# Both wheels for this Python and platform, in dist/.
wheels:
	@$(PYTHON) integration/peers/machine.py venv compiler headers
	@$(PYTHON) -m integration.packaging.wheels pure dist
	@$(PYTHON) -m integration.packaging.wheels compiled dist

run-venv:
	@$(PYTHON) integration/peers/machine.py venv
	@$(PYTHON) -m integration.packaging.run_environment $(RUN_VENV) $(if $(filter-out 0,$(PURE)),--pure)

$(BIN)/python:
	$(PYTHON) integration/peers/machine.py venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	$(BIN)/python -m pip install -q -e . --group dev
	touch $@

dev: $(VENV)/.dev

peers: $(VENV)/.dev
	$(BIN)/python integration/peers/machine.py java maven golang curl openssl compiler headers docker
	$(BIN)/python -m integration.peers.prefetch

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -q tests $(PYTEST_ARGS)

test: lint peers
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile $(PYTEST_ARGS)

# Whole servers under faults on virtual time; a failing seed prints its story.
simulate: $(VENV)/.dev
	$(BIN)/python -m tests.simulation.system.run --seeds $(SEEDS) --first $(FIRST)

bench: peers run-venv
	ZKBRIDGE_TEST_PYTHON=$(CURDIR)/$(RUN_VENV)/bin/python $(BIN)/python -m integration.bench.run --nodes 1000000 $(BENCH_ARGS)

bench-etcd: peers run-venv
	ZKBRIDGE_TEST_PYTHON=$(CURDIR)/$(RUN_VENV)/bin/python $(BIN)/python -m integration.bench.etcd_run $(BENCH_ARGS)

clean:
	rm -rf $(VENV) $(RUN_VENV) build dist $(DATA_DIR) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

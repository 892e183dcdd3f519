# Renxing: `make run` and `make test` need Python 3.11-3.13 and make, nothing else. `make help` lists the rest.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
CORES ?= $(shell nproc 2>/dev/null)
WORKSPACE ?= $(or $(RENXING_WORKSPACE),workspace)
SERVE ?=

# A name on the path may be a shim that does not run, or a Python without venv: ask each one to do the thing.
CAN_SERVE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	$$name -c '$(CAN_SERVE)' >/dev/null 2>&1 && { echo $$name; break; }; done)

# A stamp is named by what went into it: a changed lock has no stamp yet, a fresh clone with old dates needs none.
sum = $(shell cat $(1) 2>/dev/null | cksum | cut -d' ' -f1)
RUN_STAMP := $(VENV)/.run-$(call sum,requirements.lock pyproject.toml)
TEST_STAMP := $(VENV)/.test-$(call sum,requirements-dev.lock pyproject.toml)
PIP := $(BIN)/python -m pip install --disable-pip-version-check
LOCK_HOW := --extra sample --group setup --universal --generate-hashes --no-header --quiet --upgrade

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test lint bench lock clean assets python prove-image

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' Makefile | awk -F': ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(RUN_STAMP) assets ## set up what is missing, compute the built-in study, serve it (SERVE="--port 9000" passes options on)
	@ls $(WORKSPACE)/studies/helsinki/runs/*/run.json >/dev/null 2>&1 \
		|| RENXING_WORKSPACE="$(WORKSPACE)" $(BIN)/renxing sample helsinki
	@RENXING_WORKSPACE="$(WORKSPACE)" exec $(BIN)/renxing serve $(SERVE)

test: lint assets ## ruff, mypy and the whole test suite
	$(BIN)/python -m pytest -n $(or $(CORES),2) --dist loadfile --no-loadscope-reorder

lint: $(TEST_STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(TEST_STAMP) assets ## measure beside named rivals (ONLY=word picks cases, RUNS=n repeats)
	$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only "$(ONLY)") $(if $(RUNS),--runs $(RUNS))

lock: $(BIN)/pip ## make both locks again from pyproject.toml
	$(PIP) --quiet uv
	$(BIN)/uv pip compile pyproject.toml $(LOCK_HOW) --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml $(LOCK_HOW) --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock

assets: | $(BIN)/pip ## bring the front-end files that app/assets/assets.toml lists
	@$(BIN)/python -m app.assets.bring

prove-image: $(TEST_STAMP) ## walk the Dockerfile's steps in a throwaway folder, without an engine
	$(BIN)/python -m tests.prove_image

clean: ## remove everything that was made, except the workspace
	rm -rf $(VENV) .assets .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python: ## say which Python will be used
	@$(or $(PYTHON),false) -c '$(CAN_SERVE)' 2>/dev/null || { echo "Renxing needs Python 3.11, 3.12 or 3.13 with its venv module; found none that runs." >&2; \
		echo "Install one (Debian and Ubuntu: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3 run" >&2; exit 1; }
	@echo "$(PYTHON): $$($(PYTHON) -V)"

$(BIN)/pip:
	@$(MAKE) --no-print-directory python
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): | $(BIN)/pip
	@echo "Installing from requirements.lock (some minutes the first time) ..."
	$(PIP) --require-hashes -r requirements.lock
	@$(MAKE) --no-print-directory install-self STAMP=$@ KIND=run

$(TEST_STAMP): | $(BIN)/pip
	@echo "Installing from requirements-dev.lock (some minutes the first time) ..."
	$(PIP) --require-hashes -r requirements-dev.lock
	@$(MAKE) --no-print-directory install-self STAMP=$@ KIND=test

.PHONY: install-self
install-self:
	$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.$(KIND)-* && touch $(STAMP)

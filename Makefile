# Needs Python 3.11 or newer, and make. Everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test docs check format bench fuzz campaign clean

help:  ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/run  ## A whole rollout on real input, in about a minute; ARGS="--incident violations"
	@$(BIN)/controlplane demo $(ARGS)

test: .venv/dev  ## The test suite, on SQLite and a real PostgreSQL; ARGS="-k flags"
	@$(BIN)/pytest -n 2 -q $(ARGS)

docs: .venv/dev  ## Run what docs/incident-walkthrough.md shows, and write down what it says
	@$(BIN)/python -m tests.house.walkthrough

check: .venv/dev  ## Lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/dev  ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/dev  ## Measure against the raw driver, in one run
	@$(BIN)/python benchmarks/event_log.py $(ARGS)

fuzz: .venv/dev  ## Ask the HTTP API whatever its OpenAPI document allows, a thousand times each
	@$(BIN)/python -m tests.http.fuzzing --max-examples 1000 $(ARGS)

campaign: .venv/dev  ## Every law of the test suite, two thousand times where it sets no number of its own
	@HYPOTHESIS_PROFILE=campaign $(BIN)/pytest -n 2 -q -m hypothesis --timeout 0 $(ARGS)

clean:  ## Remove what the targets made
	rm -rf .venv demo.db demo.db-wal demo.db-shm

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

.venv/run: .venv/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/dev: .venv/bin/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --editable '.[postgres]' --group dev
	@touch $@ .venv/run

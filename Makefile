# Every target makes the environment it needs. `make demo` and `make test` are all the set-up there is.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SPEC   ?= specs/dyck_then_c4.toml
# Beside each other, as many as there are cores; more than four would want more memory than some machines have.
PYTEST  = $(BIN)/pytest -q -n logical --maxprocesses 4 --dist worksteal --durations 12

.PHONY: help demo test check lint bench docs plans smoke clean

help: ## what there is to make
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml constraints.txt
	@echo "Making $(VENV): some minutes the first time (torch and MLflow are large)."
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "procdsl needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY) ## run the shipped study and compare its curricula
	$(BIN)/procdsl run $(SPEC)

test: lint ## everything that CI checks
	$(PYTEST)

check: lint ## the same without the slow tests: under three minutes
	$(PYTEST) -m "not slow and not gpu"

lint: $(READY) ## format, lint, types, import contracts, shipped specs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/procdsl check --quiet specs/*.toml

bench: $(READY) ## speeds, as ratios within one run
	$(BIN)/python -m bench

docs: $(READY) ## reference and schema, generated from the code, and every example in the docs
	$(BIN)/python -m docs.reference --write
	$(BIN)/pytest -q tests/test_docs.py

plans: $(READY) ## refresh the golden plans; read the diff before committing
	$(BIN)/python -m tests.plans --write

smoke: $(READY) ## every kind of operation, in half a minute
	$(BIN)/procdsl run specs/smoke.toml

clean: ## remove the environment and every result
	rm -rf $(VENV) .procdsl specs/.procdsl .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# Each target is the only command to type on a clean clone. Only package registries are needed.

PYTHON ?= python3
JOBS ?= auto
BIN := .venv/bin

.PHONY: demo test lint bench torture setup clean

demo: setup
	@$(BIN)/segue demo

test: lint
	@$(BIN)/python -m segue.engine.warm
	@$(BIN)/pytest -q -n $(JOBS) --dist worksteal
	@echo "make test: all checks and all tests passed"

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@$(BIN)/python -m benchmarks

# Long runs with many more random cases; not part of `make test`.
torture: setup
	@SEGUE_TEST_PROFILE=night $(BIN)/pytest -q -n $(JOBS) --dist worksteal -m "torture or not torture"

setup:
	@$(PYTHON) scripts/setup.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

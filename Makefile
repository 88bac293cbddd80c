# Each target is the only command to type on a clean clone. Only package registries are needed.

PYTHON ?= python3
# One more than there are cores: many tests wait for servers, brokers and browsers.
JOBS ?= $(shell $(PYTHON) -c "import os; print((os.cpu_count() or 1) + 1)")
BIN := .venv/bin

.PHONY: demo test lint bench bench-ml torture setup sdks servers clean

demo: setup
	@$(BIN)/segue demo

test: lint sdks servers
	@$(BIN)/python -m segue.engine.warm
	@$(BIN)/pytest -q -rs -n $(JOBS) --dist worksteal
	@echo "make test: all checks and all tests passed"

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: setup
	@$(BIN)/python -m benchmarks

# What models reach on public data. SEGUE_BENCH_DATA names the folder of the sets; see docs/benchmarks.md.
bench-ml: setup
	@$(BIN)/python -m benchmarks.ml

# Long runs with many more random cases; not part of `make test`.
torture: setup sdks servers
	@SEGUE_TEST_PROFILE=night $(BIN)/pytest -q -n $(JOBS) --dist worksteal --timeout 0 -o faulthandler_timeout=0 -m "torture or not torture"

setup:
	@$(PYTHON) scripts/setup.py

# The real SDKs, and a browser to run some of them in. What cannot be had here is said, and not tested.
sdks:
	@$(PYTHON) scripts/setup_sdks.py

# The brokers that tests send to; the same holds for them.
servers:
	@$(PYTHON) scripts/setup_servers.py

clean:
	rm -rf .venv .sdks .servers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

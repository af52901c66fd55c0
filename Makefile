# Everything a person or a machine does with the checkout. Each target makes the environment it needs by itself.
#
#   make demo                             the whole pipeline over the simulated exchange, offline
#   make demo SOURCE=recorded:<folder>    the same over a recorded world
#   make dev                              the Dagster UI, for the same SOURCE
#   make test, test-slow, coverage, bench, lint, docs, clean
#   make requirements                     every requirement, by the tests that docs/requirements.md names
#
# PYTHON=<interpreter> chooses the interpreter; otherwise the first of these that fits is taken.

PYTHONS := $(or $(PYTHON),python3 python3.13 python3.12 python3.11)
SOURCE  ?= $(or $(KALSHI_SOURCE),sandbox)
WORKERS ?= auto

# Where the source's warehouse lies: recorded:some/folder has its own under data/recorded-folder.
WAREHOUSE = $(or $(KALSHI_DATA_DIR),data)/$(patsubst recorded:%,recorded-$(notdir $(SOURCE)),$(SOURCE))/kalshi.duckdb

VENV   := .venv
BIN    := $(VENV)/bin
USE    := $(VENV)/.ready-to-use
CHANGE := $(VENV)/.ready-to-change
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTEST  := $(BIN)/python -m pytest
PARALLEL := --numprocesses $(WORKERS) --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo dev test test-slow requirements coverage bench lint docs clean

help:
	@sed -n 's/^#   //p' Makefile

demo: $(USE)
	$(BIN)/kalshi-pipeline demo --source '$(SOURCE)'

dev: $(USE)
	$(BIN)/kalshi-pipeline dev --source '$(SOURCE)'

test: $(CHANGE)
	$(PYTEST) $(PARALLEL) -m 'not live and not slow'

# Exit code 5 says that no test is slow, which is no failure.
test-slow: $(CHANGE)
	$(PYTEST) $(PARALLEL) -m 'slow and not live' || [ $$? -eq 5 ]

requirements: $(CHANGE)
	$(BIN)/python -m tests.requirements $(PARALLEL)

# Branches of the core packages. Kernels run as Python in the unit tests, or their branches could not be seen.
coverage: $(CHANGE)
	NUMBA_DISABLE_JIT=1 $(PYTEST) tests/unit $(PARALLEL) -m 'not live and not slow' --cov --cov-report= --cov-fail-under=0
	$(PYTEST) tests/integration $(PARALLEL) -m 'not live and not slow' --cov --cov-append

bench: $(CHANGE)
	$(PYTEST) tests/bench --benchmark-only -m 'not live'

lint: $(CHANGE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 0 dbt_project/models dbt_project/tests

# One page that needs no server and no network; columns and sizes are of the warehouse that is there.
docs: $(USE)
	@test -e '$(WAREHOUSE)' || { echo 'make docs: no warehouse at $(WAREHOUSE) yet; `make demo` makes one.' >&2; exit 1; }
	cd dbt_project && KALSHI_DUCKDB_PATH='$(abspath $(WAREHOUSE))' ../$(BIN)/dbt docs generate --static
	@echo 'Open dbt_project/target/static_index.html in a browser.'

# Keeps data/: what was fetched is yours.
clean:
	rm -rf $(VENV) build dist dbt_project/target dbt_project/logs .pytest_cache .ruff_cache .mypy_cache .hypothesis .benchmarks .coverage
	find kalshi_pipeline tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The first interpreter that fits makes the environment, and the rest of the line is not reached.
$(USE): pyproject.toml constraints.txt
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$("$$python" --version) ($$python): a minute or two."; exec "$$python" -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo 'make: needs Python 3.11, 3.12 or 3.13 with its venv module; tried: $(PYTHONS).' >&2; \
	echo 'Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name one: make demo PYTHON=<interpreter>.' >&2; \
	exit 1
	$(INSTALL) --editable .
	@touch $@

$(CHANGE): $(USE)
	$(INSTALL) --editable '.[dev]'
	@touch $@

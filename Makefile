# Two commands matter: `make demo` and `make test`. Each sets up everything by itself.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := $(VENV)/.peers
# The first interpreter that runs and is new enough; `make demo PYTHON=/path/to/python` overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
# One computing thread a process: the tests already run two processes.
TESTS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=agg $(BIN)/python -m pytest -q

.PHONY: help demo test fast figures notebooks docs bench soak check clean

help:  ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(STAMP): setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer was found; install one, or run: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version) (once; a few minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: $(STAMP)  ## set up, then the main job: derive, prove and measure every step-size bound on real data
	@$(BIN)/dynopt report --data breast_cancer --force

test: check  ## set up, then every test
	@$(TESTS) -n 2 -m 'not soak'

fast: $(STAMP)  ## the tests that take less than ten seconds each
	@$(TESTS) -n 2 -m 'not slow and not soak'

figures: $(STAMP)  ## draw every figure into figures/
	@MPLBACKEND=agg $(BIN)/python figures/build.py

notebooks: $(STAMP)  ## execute every notebook script into the .ipynb beside it
	@$(BIN)/python notebooks/build.py

docs: $(STAMP)  ## check that every link and every name in the documents exists
	@$(TESTS) tests/test_docs.py

$(PEERS): $(STAMP) bench/peers.txt
	@for p in $$(grep -v '^#' bench/peers.txt); do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $$p >/dev/null 2>&1 || echo "make bench: no $$p here; the table will say so"; done
	@touch $@

bench: $(PEERS)  ## dynopt beside its peers, same work, results checked equal
	@$(BIN)/python bench/run.py

soak: $(STAMP)  ## the property tests with fresh random examples, forty times as many
	@DYNOPT_SOAK=1 $(TESTS) -n 2

check: $(STAMP)  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/mypy

clean:  ## remove what can be made again
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each target does its own set-up in .venv: `make demo` and `make test` are all that a clean clone needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS := $(VENV)/.installed-docs

.DEFAULT_GOAL := help
.PHONY: help setup demo experiments experiments-full test test-quick test-all test-browser docs lab notebooks clean
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-23s %s\n", $$1, $$2}'

$(STAMP): requirements.lock setup.py settings.ini pyproject.toml
	@if [ ! -x $(BIN)/python ]; then \
	  command -v $(PYTHON) >/dev/null || { \
	    echo "make: no $(PYTHON) here; name a Python 3.10 or newer: make PYTHON=python3.11" >&2; exit 1; }; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	    echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1), 3.10 or newer is needed: make PYTHON=python3.11" >&2; exit 1; }; \
	  echo "== creating $(VENV) with $$($(PYTHON) -V 2>&1)"; $(PYTHON) -m venv $(VENV); fi
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "make: $(VENV) holds a Python older than 3.10; run make clean and try again" >&2; exit 1; }
	@echo "== installing requirements.lock into $(VENV) (a minute or some, with CUDA libraries about 3 GB)"
	$(BIN)/python -m pip install -q -r requirements.lock
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

setup: $(STAMP) ## only the set-up that every target does by itself

demo: $(STAMP) ## train and compare on the embedded data, answer three captions (5 minutes on two cores)
	$(BIN)/tvproxy_demo

experiments: $(STAMP) ## the core of the table of experiments (about an hour on two cores); goes on where it was stopped
	$(BIN)/tvproxy_experiments

experiments-full: $(STAMP) ## all of the table (some hours; goes on where it was stopped)
	$(BIN)/tvproxy_experiments --full

test: $(STAMP) ## files up to date, notebooks, pytest; without slow, gpu and browser (18 minutes)
	$(BIN)/python tools/check.py

test-quick: $(STAMP) ## the same without the notebooks
	$(BIN)/python tools/check.py --quick

test-all: $(STAMP) ## the same with slow, gpu (where there is CUDA) and browser
	$(BIN)/python tools/check.py --all

$(DOCS): $(STAMP) requirements-docs.lock
	$(BIN)/python -m pip install -q -r requirements-docs.lock
	@touch $@

docs: $(DOCS) ## the notebooks and the API as a static site in _docs (2 minutes)
	$(BIN)/python tools/docs.py

test-browser: $(DOCS) ## the site and JupyterLab in Chromium; skipped where there is none
	$(BIN)/python -m pytest -m browser tests

lab: $(STAMP) ## JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=nbs $(LAB)

notebooks: $(STAMP) ## run all notebooks in place, then clean, export, tests and README
	$(BIN)/python tools/nbrun.py --inplace
	$(BIN)/python tools/openings.py
	$(BIN)/nbdev_clean
	$(BIN)/nbdev_export
	$(BIN)/python tools/nbtests.py
	$(BIN)/python tools/readme.py

clean: ## remove .venv, caches and what a build leaves; data/ stays
	rm -rf $(VENV) build dist *.egg-info _proc _docs .pytest_cache .hypothesis
	find nbs tvproxy tests tools -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

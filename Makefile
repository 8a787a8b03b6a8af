# Everything a clone needs: Python 3.10 to 3.12 with venv and pip, make, and a package index.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The first interpreter found that the project supports; `make setup PYTHON=...` overrides.
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.10 python; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
AML := $(VENV)/bin/aml
# Tests of one module stay together, since they share servers and trained models.
TEST_WORKERS ?= 3
PIP_INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check
UV_INSTALL := $(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python

# Byte code is written once at install; without it every start compiles hundreds of modules anew.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
unexport PYTHONHOME
unexport VIRTUAL_ENV
export UV_COMPILE_BYTECODE := 1
# As pip and the system's own tools do: a proxy's certificate is known to the machine only.
export UV_SYSTEM_CERTS ?= true

include .ci/stages.mk

.PHONY: help setup demo loop test test-slow test-long test-conformance lint format bench lock clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

setup: $(VENV)/.ready  ## Create .venv with everything, from the locked requirements

$(VENV)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "amlocal needs Python 3.10, 3.11 or 3.12; set PYTHON=/path/to/python" >&2; exit 3; }
	@echo "setting up $(VENV) with $(PYTHON): a minute, once" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) "$$(grep -m1 -oE '^uv==[^ ]+' requirements.lock)"
	@$(UV_INSTALL) --require-hashes -r requirements.lock && $(UV_INSTALL) --no-deps -e . || { \
		echo "uv failed; trying pip, which is slower and has settings of its own (index, certificates)" >&2; \
		$(PIP_INSTALL) --require-hashes -r requirements.lock && $(PIP_INSTALL) --no-deps -e .; }
	@touch $@

demo: setup  ## Train, judge, and register a model on the Adult census data
	@$(AML) job create -f jobs/lifecycle.yml --stream

loop: setup  ## Show continuous training end to end: drift, retraining, rollout (minutes)
	@$(VENV)/bin/python loop/run.py

test: setup  ## Run the tests (minutes); TEST_WORKERS=1 for one after another
	$(VENV)/bin/python -m pytest -n $(TEST_WORKERS) --dist loadfile

test-slow: setup  ## Run the tests that take longer: faults, planted defects, load
	$(VENV)/bin/python -m pytest -m slow

test-long: setup  ## Run the tests of many minutes: the loop, kills of it, other Python versions
	$(VENV)/bin/python -m pytest -m long

test-conformance: setup  ## Run public example jobs; EXAMPLES=/path/to/azureml-examples
	AZUREML_EXAMPLES="$(EXAMPLES)" $(VENV)/bin/python -m pytest -m conformance

lint: setup  ## Check style, types, and imports
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	MYPYPATH=src $(VENV)/bin/mypy components/*/*.py
	$(VENV)/bin/mypy endpoints/adult/scoring/score.py .ci
	MYPYPATH=src:endpoints/adult:loop $(VENV)/bin/mypy loop/*.py

format: setup  ## Format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: setup  ## Measure the engine against its peers
	$(VENV)/bin/python benchmarks/engine.py

lock:  ## Resolve the requirements anew (needs the package index)
	$(VENV)/bin/uv pip compile --universal --python-version 3.10 --generate-hashes \
		--no-emit-index-url --all-extras --quiet pyproject.toml -o requirements.lock

clean:  ## End the workspaces' processes; remove .venv, .amlocal, and build
	@if test -x $(AML); then $(AML) workspace down; fi
	@if test -x $(AML) -a -d $(CI_FOLDER)/workspace; then $(CI_AML) workspace down; fi
	rm -rf $(VENV) .amlocal build

# The two commands that matter first: make demo, make test. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
CLUSTER ?= $(KUBECONFIG)
CACHE := $(or $(RUNJOB_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/runjob)

.PHONY: help demo test check cluster cluster-down e2e bench clean

help: ## list these commands
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(PY):
	@echo "making a Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/core: $(PY) pyproject.toml
	@echo "installing the launcher"
	@$(PY) -m pip install --disable-pip-version-check -e . | grep -v already
	@$(PY) -m compileall -q runjob
	@touch $@

$(VENV)/dev: $(PY) pyproject.toml
	@echo "installing the launcher and the tools that test it"
	@$(PY) -m pip install --disable-pip-version-check -e '.[dev]' | grep -v already
	@$(PY) -m compileall -q runjob
	@touch $@ $(VENV)/core

demo: $(VENV)/core ## run the sample Job on an embedded cluster, or with CLUSTER=kubeconfig on a real one
	$(PY) runjob/runJob.py -j mytest-job2 -n controlm -b 0 -s regcred \
	  -i "joegoldberg/controlm:appimage" -p Never -e LOOPCTR -v 10 -e STIME -v 5 \
	  $(if $(CLUSTER),--kubeconfig "$(CLUSTER)",--sandbox)

test: $(VENV)/dev ## run the tests that need no cluster, no root and no account
	@$(PY) -m pytest $(RETRY) tests --ignore tests/e2e --ignore tests/bench

check: $(VENV)/dev ## lint, types, architecture, and the tests with branch coverage
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m coverage run -m pytest -q tests --ignore tests/e2e --ignore tests/bench
	@$(PY) -m tests.coverage_gate

cluster: $(VENV)/dev ## bring up a real one-node Kubernetes (as root, on Debian; built once, cached)
	@$(PY) -m tests.cluster up

cluster-down: $(VENV)/dev ## stop what `make cluster` started
	@$(PY) -m tests.cluster down

e2e: $(VENV)/dev ## run the contract suite and the end-to-end tests on the cluster of KUBECONFIG
	@test -n "$(CLUSTER)" || { echo "make e2e: no cluster; make cluster brings one up, then: KUBECONFIG=$(CACHE)/cluster/kubeconfig make e2e" >&2; exit 1; }
	@RUNJOB_CLUSTER=real KUBECONFIG="$(CLUSTER)" $(PY) -m pytest $(RETRY) tests/contract tests/e2e

bench: $(VENV)/dev ## measure what a launch costs, against kubectl and the client imported whole
	@test -n "$(CLUSTER)" || { echo "make bench: no cluster; make cluster brings one up, then: KUBECONFIG=$(CACHE)/cluster/kubeconfig make bench" >&2; exit 1; }
	@KUBECONFIG="$(CLUSTER)" $(PY) -m tests.bench

clean: ## remove the environment and what the tools left
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

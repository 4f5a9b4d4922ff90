# The two commands that matter first: make demo, make test. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Bytecode is kept, or each process of the tests, workers and launchers, compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# COVERAGE=1 measures the branches that the tests take, for `make check`.
PYTEST := $(PY) -m pytest $(if $(COVERAGE),--cov --cov-report= $(if $(RETRY),--cov-append))
# What needs no cluster, no root and no account. Most of it waits: for processes, brokers, signals.
# A worker that a time-out ends is replaced; with --dist loadfile the run would then never end.
TESTS := tests --ignore tests/e2e --ignore tests/bench --ignore tests/browser --numprocesses 6 --dist worksteal
CLUSTER ?= $(KUBECONFIG)
CACHE := $(or $(RUNJOB_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/runjob)
need-cluster = test -n "$(CLUSTER)" || { echo "make $(1): no cluster; make cluster brings one up, then: KUBECONFIG=$(CACHE)/cluster/kubeconfig make $(1)" >&2; exit 1; }
# The demo on the cluster that `make cluster` has brought up gives its node today's images first.
own-cluster = $(and $(filter real,$(ENGINES)),$(filter $(CACHE)/cluster/kubeconfig,$(or $(KUBECONFIG),$(CACHE)/cluster/kubeconfig)))
POSTS ?= 100000
MINUTES ?= 5
SEED ?= 1
TWEETS ?= 2000
ENGINES ?= embedded

.PHONY: help demo whole hello test check lint coverage browser docs dist cluster cluster-down contract images e2e \
	pipeline rehearse engines kafka kafka-down chaos soak bench clean

help: ## list these commands
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(PY):
	@echo "making a Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/core: $(PY) pyproject.toml
	@echo "installing the launcher"
	@$(PY) -m pip install --quiet --disable-pip-version-check -e .
	@$(PY) -m compileall -q runjob
	@touch $@

$(VENV)/demo: $(PY) pyproject.toml
	@echo "installing the launcher, the pipeline and its embedded engines: one to two minutes, once"
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[pipeline,engines,report]'
	@$(PY) -m compileall -q application ctm misc pythonapp runjob
	@touch $@ $(VENV)/core

$(VENV)/dev: $(PY) pyproject.toml
	@echo "installing the launcher, the pipeline, its embedded engines and the tools that test them: about two minutes, once"
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@$(PY) -m compileall -q application ctm misc pythonapp runjob
	@touch $@ $(VENV)/core $(VENV)/demo

# Before Python 3.11 there is no embedded Snowflake: the launcher alone is shown then.
demo: $(PY) ## run the whole system as Control-M would, and make its report: SEED, TWEETS, FAIL=1, ENGINES=real
	@if $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then $(MAKE) --no-print-directory whole; \
	else echo "demo: the embedded Snowflake needs Python 3.11, so this is the launcher alone; for all: make clean demo PYTHON=python3.12"; \
	$(MAKE) --no-print-directory hello; fi

whole: $(VENV)/demo ## what `make demo` runs from Python 3.11 on
	@$(if $(own-cluster),$(PY) -m tests.containers --node)
	@$(PY) -m misc.demo --seed $(SEED) --tweets $(TWEETS) --engines $(ENGINES) $(if $(filter-out 0 no false,$(FAIL)),--fail)

hello: $(VENV)/core ## run the sample Job on an embedded cluster, or with CLUSTER=kubeconfig on a real one
	$(PY) runjob/runJob.py -j mytest-job2 -n controlm -b 0 -s regcred \
	  -i "joegoldberg/controlm:appimage" -p Never -e LOOPCTR -v 10 -e STIME -v 1 \
	  $(if $(CLUSTER),--kubeconfig "$(CLUSTER)",--sandbox)

test: $(VENV)/dev ## run the tests that need no cluster, no root and no account
	@$(PYTEST) $(RETRY) $(TESTS)

lint: $(VENV)/dev ## lint, types and architecture
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

coverage: $(VENV)/dev ## hold the branches taken by `make test COVERAGE=1` to the measure
	@$(PY) -m tests.coverage_gate

check: lint ## lint, and the tests with branch coverage
	@$(MAKE) --no-print-directory test COVERAGE=1
	@$(MAKE) --no-print-directory coverage

browser: $(VENV)/dev ## look at the report in a headless Chromium
	@$(PY) -m pytest $(RETRY) tests/browser

docs: $(VENV)/dev ## build the documentation's site in build/site
	@$(PY) -m sphinx -q -W -n -b html docs build/site
	@echo "docs: build/site/index.html"

dist: $(VENV)/dev ## build wheel, sdist, runjob.pyz and their bill of materials in dist/
	@$(PY) -m misc.release --out dist

cluster: $(VENV)/dev ## bring up a real one-node Kubernetes (as root, on Debian; built once, cached)
	@$(PY) -m tests.cluster up

cluster-down: $(VENV)/dev ## stop what `make cluster` started
	@$(PY) -m tests.cluster down

# Each worker has a namespace of its own; most of the time they wait for the cluster.
contract: $(VENV)/dev ## run the contract suite, which the embedded cluster passes, on the cluster of KUBECONFIG
	@$(call need-cluster,contract)
	@RUNJOB_CLUSTER=real KUBECONFIG="$(CLUSTER)" $(PY) -m pytest $(RETRY) --numprocesses 4 tests/contract

e2e: $(VENV)/dev ## run on the cluster of KUBECONFIG what no embedded one can show
	@$(call need-cluster,e2e)
	@RUNJOB_CLUSTER=real KUBECONFIG="$(CLUSTER)" $(PY) -m pytest $(RETRY) tests/e2e

images: $(VENV)/dev ## build the images of producer, consumer, counting sample and agent (as root, on Debian)
	@$(PY) -m tests.containers

pipeline: $(VENV)/demo ## run the Customer-360 pipeline once through on embedded engines
	@$(PY) -m application.synth build/synth
	@PYTHON=$(PY) $(PY) -m misc.engines --posts build/synth/posts.jsonl -- sh misc/pipeline.sh build/synth

rehearse: $(VENV)/demo ## rehearse the Customer-360 folder of Control-M on embedded engines
	@$(PY) -m ctm.rehearse ctm/cust360.json --out build/rehearsal

engines: $(VENV)/demo ## run embedded Kafka, Snowflake, S3 and X, and print their settings
	@$(PY) -m misc.engines

kafka: $(VENV)/dev ## bring up a real Apache Kafka (needs Java 17 and Maven; fetched once, cached)
	@$(PY) -m misc.engines.apache up

kafka-down: $(VENV)/dev ## stop what `make kafka` started
	@$(PY) -m misc.engines.apache down

chaos: $(VENV)/dev ## break a real broker, the warehouse, producers and consumers; count the rows
	@$(PY) -m tests.chaos --posts $(POSTS) --minutes $(MINUTES) --seed $(SEED)

# Where nothing else is said it takes an hour, and chaos its five minutes.
soak: $(VENV)/dev ## break the real cluster while Jobs run on it, for MINUTES (60); count the lines (as root)
	@$(PY) -m tests.soak --minutes $(if $(filter file,$(origin MINUTES)),60,$(MINUTES)) --seed $(SEED)

bench: $(VENV)/dev ## measure what a launch and what a post costs, against their peers in the same run
	@$(call need-cluster,bench)
	@KUBECONFIG="$(CLUSTER)" $(PY) -m tests.bench

clean: ## remove the environment and what the tools left
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

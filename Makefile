# A fresh machine needs Python 3.11+, make and git; everything else comes from the locks.
PYTHON ?= python3
ACCOUNTS ?= 12
REGIONS ?= default
VENV := .venv
BIN := $(VENV)/bin
# Node, which CDK runs on, is a Python package here.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := layers/orgscan/python:functions:.
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
# Wherever it is forbidden to keep bytecode, each of a hundred processes compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# A hundred packages for one command: not part of what everybody installs.
CHECKOV := checkov==3.3.30
# Functions start sooner with bytecode, which only Python of their version can make.
LAMBDA_PYTHON ?= $(shell python3.13 -c 'import sys; print(sys.executable)' 2>/dev/null)
DEPENDENCIES := build/layers/dependencies/.built
# Where calls are declared, and with them which of botocore's models the layer holds.
CALLS := $(shell find layers/orgscan/python/orgscan -name '*.py' -path '*collect*') $(addprefix layers/orgscan/python/orgscan/,metrics.py regions.py organization.py)

# The validator of state machines, which is a Node package.
VALIDATOR := tests/asl/node_modules/.installed
# The browser that opens the report, and the judge of its accessibility, likewise.
BROWSER := tests/browser/node_modules/.installed
# What waits for nothing runs beside something else.
MAKEFLAGS += --jobs=2

.DEFAULT_GOAL := help
.PHONY: help scan test suite soak fuzz bench simulate check lint types synth template audit deploy docs lock layers clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

scan: $(VENV)/.installed $(DEPENDENCIES)  ## an invented organization, through the real stack, on this machine
	@python -m local --accounts $(ACCOUNTS) --regions $(REGIONS)

test: lint types suite  ## lint, types and every test; what CI runs

suite: $(VENV)/.installed $(DEPENDENCIES) $(VALIDATOR) $(BROWSER)
	@pytest -q -n auto --dist loadfile --no-loadscope-reorder

soak: $(VENV)/.installed  ## 20,000 random histories of scans against an independent oracle
	@ORGSCAN_SEQUENCES=20000 pytest -q -s tests/test_model.py

fuzz: $(VENV)/.installed  ## every recorded answer of AWS with every odd change, where the tests try some
	@ORGSCAN_FUZZ=all pytest -q -s tests/test_fuzz_answers.py

bench: $(VENV)/.installed $(DEPENDENCIES)  ## the worker against a served AWS: time, calls, memory; asserted nowhere
	@python -m benchmarks $(SECTIONS)

simulate: $(VENV)/.installed  ## seconds and memory of planning and reporting 10,000 accounts in 17 regions
	@python -m benchmarks.organization

check: lint types

lint: $(VENV)/.installed
	@ruff check .
	@ruff format --check --quiet .

types: $(VENV)/.installed $(DEPENDENCIES)
	@mypy

layers: $(DEPENDENCIES)  ## the functions' dependencies, built for Lambda

synth: $(VENV)/.installed $(DEPENDENCIES)  ## the CloudFormation templates, in cdk.out/
	@LAMBDA_PYTHON="$(LAMBDA_PYTHON)" python app.py

template: synth  ## plain CloudFormation and its code in build/template/, for whoever may not bootstrap CDK
	@python -m infra.plain

audit: synth  ## checkov, from an environment of its own, on the templates
	@test -x build/checkov/bin/checkov || { $(PYTHON) -m venv build/checkov && build/checkov/bin/pip install --quiet --disable-pip-version-check $(CHECKOV); }
	@build/checkov/bin/checkov --directory cdk.out --framework cloudformation --compact --quiet --skip-download

deploy: $(VENV)/.installed $(DEPENDENCIES)  ## the hub stack, into the account of your AWS credentials
	@LAMBDA_PYTHON="$(LAMBDA_PYTHON)" npx --yes aws-cdk@2 deploy --app "python app.py" "*Hub"

docs: $(VENV)/.installed  ## what is generated from the code
	@python -m cli.docs
	@python -m infra.config

lock: $(VENV)/.installed  ## new locks from the ranges in pyproject.toml
	uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
	  layers/dependencies/requirements.in -o layers/dependencies/requirements.txt
	uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" \
	  -c layers/dependencies/requirements.txt --extra dev pyproject.toml -o requirements.txt

clean:  ## everything that was made here
	rm -rf $(VENV) build cdk.out results tests/asl/node_modules tests/browser/node_modules

# Installing is unpacking, with one core for each pip: every other package of the lock is in the other half.
$(VENV)/.made: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "orgscan needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PYTHON) -c 'import re; lock = re.split(r"(?m)^(?=\w)", open("requirements.txt").read()); [open(f"$(VENV)/half{each}.txt", "w").writelines(lock[each::2]) for each in (0, 1)]'
	@touch $@

$(VENV)/.half%: $(VENV)/.made
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r $(VENV)/half$*.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.half0 $(VENV)/.half1
	@touch $@

$(VALIDATOR): tests/asl/package-lock.json | $(VENV)/.installed
	@npm ci --loglevel=error --no-audit --no-fund --prefix tests/asl
	@touch $@

$(BROWSER): tests/browser/package-lock.json tests/browser/unpack.mjs | $(VENV)/.installed
	@npm ci --loglevel=error --no-audit --no-fund --prefix tests/browser
	@node tests/browser/unpack.mjs tests/browser/node_modules/.browser
	@touch $@

$(DEPENDENCIES): layers/dependencies/requirements.txt layers/build.py layers/models.py $(CALLS) | $(VENV)/.installed
	@python -m layers.build build/layers/dependencies
	@touch $@

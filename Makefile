# Everything a newcomer or a contributor runs. Each target makes .venv first, once, with what it needs; again only
# when pyproject.toml or constraints.txt changed.

PYTHON ?= python3
PIP_FLAGS ?=
# The README's own picture is made by: make demo OUT=docs/images/demo.jpg
OUT ?= demo.png
# Only some: make test TESTS=tests/faces
TESTS ?=
VENV := .venv
RUN := $(VENV)/bin/
PLAIN := $(VENV)/.plain
READY := $(VENV)/.ready
INSTALL = $(RUN)python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) \
	--constraint constraints.txt --editable

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage lint format docs plots clean

help:
	@echo "make demo    edit the sample faces and write a sheet of them, $(OUT)"
	@echo "make test    all tests; those that need face data skip where there is none"
	@echo "make coverage  all tests, and the share of lines and branches that they run"
	@echo "make lint    format, lint and types, as .ci/run checks them"
	@echo "make docs    build the documentation as a site, site/index.html; fails for a dead link"
	@echo "make plots   draw the documentation's figures anew from benchmarks/results"
	@echo "make format  let ruff rewrite the code"
	@echo "make setup   only the virtual environment, in $(VENV)"
	@echo "make clean   remove the virtual environment and all caches"

setup: $(READY)
	@echo "setup: $(VENV) is ready"

# what edits photographs: no torch
$(PLAIN): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "setup: mien needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setup: installing mien into $(VENV)"
	@test -x $(RUN)python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) .
	@touch $@

# ... and everything that trains, measures, serves and tests
$(READY): $(PLAIN)
	@echo "setup: installing all that mien can use, and its tools (a few minutes, once)"
	@$(INSTALL) '.[dev]'
	@touch $@

demo: $(PLAIN)
	@echo "demo: editing the sample faces"
	@$(RUN)mien demo --out $(OUT)

test: $(READY)
	@echo "test: running the tests"
	@$(RUN)python -m pytest $(TESTS)

coverage: $(READY)
	@echo "coverage: running the tests, and noting the lines that they run"
	@$(RUN)coverage erase
	@$(RUN)coverage run -m pytest $(TESTS)
	@$(RUN)coverage combine --quiet
	@$(RUN)coverage report --skip-covered --sort=cover

lint: $(READY)
	@echo "lint: format"
	@$(RUN)ruff format --check .
	@echo "lint: rules"
	@$(RUN)ruff check .
	@echo "lint: types"
	@$(RUN)mypy

format: $(READY)
	@$(RUN)ruff format .
	@$(RUN)ruff check --fix .

# the site's tools come with the first build only: no test needs them
$(VENV)/.docs: $(READY)
	@echo "docs: installing what builds the site"
	@$(RUN)python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) \
		--constraint constraints.txt --editable '.[dev,docs]'
	@touch $@

docs: $(VENV)/.docs
	@echo "docs: building site/"
	@NO_MKDOCS_2_WARNING=1 $(RUN)mkdocs build --quiet --strict
	@echo "docs: open site/index.html"

plots: $(VENV)/.docs
	@$(RUN)python docs/plots/draw.py

clean:
	rm -rf $(VENV) site .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -exec rm -rf {} +

# `make demo` builds a small gallery, `make test` runs every check; both set everything up first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
PYTEST := python -m pytest --numprocesses=auto --maxprocesses=8 --dist=worksteal
ifneq ($(wildcard ../shared),)
export VISIONCIRCUITS_CHECKPOINTS ?= ../shared/weights
export VISIONCIRCUITS_PUBLISHED ?= ../shared/published
endif

PHOTOGRAPHS ?= $(wildcard ../shared/images/imagenet_sample)

.PHONY: bench demo docs figures test test-fast test-oldest lint types install clean

install: $(VENV)/installed-tests

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/installed-tests: $(VENV)/installed
	$(BIN)/pip install --quiet --editable ".[onnx,peers,ray,test]"
	touch $@

demo: $(VENV)/installed
	@$(BIN)/python scripts/demo.py site/demo

test: lint types
	$(BIN)/$(PYTEST)

test-fast: lint types
	$(BIN)/$(PYTEST) -m "not slow"

# The quick tests with every dependency at the lowest version that pyproject.toml allows.
test-oldest: $(OLDEST)/installed
	$(OLDEST)/bin/$(PYTEST) -m "not slow"

$(OLDEST)/installed: pyproject.toml
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/pip install --quiet uv
	$(OLDEST)/bin/uv pip install --quiet --python $(OLDEST)/bin/python \
		--resolution lowest-direct --editable ".[onnx,peers,ray,test]"
	touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

# Renews the tables of the pages from docs/results and the scorecards.
figures: install
	$(BIN)/python docs/figures.py

# Every benchmark, into site/bench; `make bench BENCH=--short` for quick settings. The folder
# PHOTOGRAPHS is for those that need some.
bench: $(VENV)/installed-tests
	$(BIN)/python scripts/bench.py $(BENCH) $(addprefix --photographs ,$(PHOTOGRAPHS))

docs: install
	$(BIN)/python -m sphinx -W -q -j auto docs site/docs/html
	@echo open site/docs/html/index.html

clean:
	rm -rf $(VENV) $(OLDEST) site build dist *.egg-info

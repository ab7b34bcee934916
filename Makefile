# `make demo` builds a small gallery, `make test` runs every check; both set everything up first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export VISIONCIRCUITS_CHECKPOINTS ?= $(wildcard ../shared/weights)
export VISIONCIRCUITS_PUBLISHED ?= $(wildcard ../shared/published)

.PHONY: demo docs test test-fast lint types install clean

install: $(VENV)/installed-tests

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/installed-tests: $(VENV)/installed
	$(BIN)/pip install --quiet --editable ".[lucent,onnx,ray,test]"
	touch $@

demo: $(VENV)/installed
	@$(BIN)/python scripts/demo.py site/demo

test: lint types
	$(BIN)/python -m pytest

test-fast: lint types
	$(BIN)/python -m pytest -m "not slow"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

docs: install
	$(BIN)/python -m sphinx -W -q docs site/docs
	@echo open site/docs/index.html

clean:
	rm -rf $(VENV) site build dist *.egg-info

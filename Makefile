# `make demo` builds a small gallery, `make test` runs every check; both set everything up first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=8 --dist=worksteal
ifneq ($(wildcard ../shared),)
export VISIONCIRCUITS_CHECKPOINTS ?= ../shared/weights
export VISIONCIRCUITS_PUBLISHED ?= ../shared/published
endif

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
	$(PYTEST)

test-fast: lint types
	$(PYTEST) -m "not slow"

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

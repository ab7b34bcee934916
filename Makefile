# `make demo` builds a small gallery, `make test` runs every check; both set everything up first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
export VISIONCIRCUITS_CHECKPOINTS ?= $(wildcard ../shared/weights)
export VISIONCIRCUITS_PUBLISHED ?= $(wildcard ../shared/published)

.PHONY: demo docs test test-fast test-oldest lint types install clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable ".[lucent,onnx,ray,test]"
	touch $@

demo: install
	@$(BIN)/python scripts/demo.py site/demo

test: lint types
	$(BIN)/python -m pytest

test-fast: lint types
	$(BIN)/python -m pytest -m "not slow"

# The quick tests with every dependency at the lowest version that pyproject.toml allows.
test-oldest: $(OLDEST)/installed
	$(OLDEST)/bin/python -m pytest -m "not slow"

$(OLDEST)/installed: pyproject.toml
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/pip install --quiet uv
	$(OLDEST)/bin/uv pip install --quiet --python $(OLDEST)/bin/python \
		--resolution lowest-direct --editable ".[lucent,onnx,ray,test]"
	touch $@

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

docs: install
	$(BIN)/python -m sphinx -W -q docs site/docs
	@echo open site/docs/index.html

clean:
	rm -rf $(VENV) $(OLDEST) site build dist *.egg-info

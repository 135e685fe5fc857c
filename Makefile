# Both of the README's commands set up what they need: a Python 3.11 or newer is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(if $(filter Windows_NT,$(OS)),$(VENV)/Scripts,$(VENV)/bin)

.PHONY: demo test lint bench clean

demo: $(VENV)/product
	$(BIN)/fleetscan demo

test: $(VENV)/dev lint
	$(BIN)/pytest -n auto --dist loadfile

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev
	$(BIN)/python -m tests.figures

$(VENV)/product: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/dev: $(VENV)/product
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	if command -v krb5-config >/dev/null; then \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --group kerberos; fi
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

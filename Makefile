# `make demo` and `make test` work in a fresh clone: they make the environment first.
PYTHON ?= python3
VENV := .venv
# The longest first: two are made at a time.
CORPORA := contrast assistant duplex knowledge echo
BIN := $(VENV)/bin
# One thread a process: the worker of a system has the machine to itself, and timings repeat.
export OMP_NUM_THREADS ?= 2
export OMP_WAIT_POLICY ?= PASSIVE
export TOKENIZERS_PARALLELISM ?= false

.PHONY: help demo test lint types dev links wheel sweep corpora clean

help:
	@echo "make demo    install, fetch weights, play the default sweep, write its report"
	@echo "make test    install and run the tests"
	@echo "make lint types wheel sweep    the other checks of CI"
	@echo "make dev     install for development, with links for static tools and commit hooks"
	@echo "make corpora rebuild the bundled corpora (needs espeak-ng, flite, ...: see its README)"

$(VENV)/.demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,piper]'
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,piper,dev]'
	touch $@

demo: $(VENV)/.demo
	$(BIN)/cascadence run demo

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Static tools do not see a mapped install: they read this tree of links, by import name.
links:
	mkdir -p .links
	ln -sfn ../benchmark .links/cascadence
	for folder in systems metrics data_manifests reports; do \
		ln -sfn ../$$folder benchmark/$$folder; done

types: $(VENV)/.dev links
	$(BIN)/mypy -p cascadence

wheel: $(VENV)/.dev
	$(BIN)/python tests/wheel_smoke.py

# A short real sweep: real ASR, policy, real TTS, the end-to-end model and two controls.
sweep: $(VENV)/.dev
	$(BIN)/cascadence run short --runs runs

dev: $(VENV)/.dev links
	$(BIN)/pre-commit install

corpora: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[recipes]'
	printf '%s\n' $(CORPORA) | OMP_NUM_THREADS=1 xargs -P 2 -I{} \
		$(BIN)/python -m cascadence.data_manifests.recipes.{}

clean:
	rm -rf $(VENV) .links build dist *.egg-info benchmark/systems benchmark/metrics \
		benchmark/data_manifests benchmark/reports

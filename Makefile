# Everything a developer runs. `make` alone lists the targets.

PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.DEFAULT_GOAL := help
.PHONY: help setup dev run kafka test test-fast lint bench soak docs lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) \
		| while IFS='|' read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

setup: .venv/.setup ## create .venv and install what the platform needs

dev: .venv/.dev

run: setup ## start the whole platform on this machine
	$(BIN)/ecocase serve

kafka: setup ## run an Apache Kafka on this machine (needs Java 17 and Maven)
	$(BIN)/python -m deploy.kafka

test: lint ## lint, then every test
	$(BIN)/pytest -n 2 --dist loadfile -m "not soak"

test-fast: dev ## the tests that take no more than a minute together
	$(BIN)/pytest -m "not slow and not browser and not soak"

lint: dev ## style, types, the walls between services, dependencies, stale documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/ecocase docs --check

bench: dev ## measure speed
	$(BIN)/python -m bench

soak: dev ## the tests that take long: kills at random, hours of load
	$(BIN)/pytest -m soak

docs: setup ## write the generated pages of docs/ anew: events, caseloads, states, settings
	$(BIN)/ecocase docs

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile $(LOCK) --upgrade --group dev pyproject.toml -o requirements-dev.lock
	uv pip compile $(LOCK) --group build -c requirements-dev.lock pyproject.toml -o requirements.lock

LOCK := --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links

clean: ## remove .venv and what the tools left behind
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find shared services tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: each install is repeated only when its list has changed.
.venv/.python:
	@test -n "$(PYTHON)" || { echo "需要带 venv 的 Python 3.11 或更新版本 (Python 3.11+ with venv is needed)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.locked: requirements.lock | .venv/.python
	$(PIP) --require-hashes -r requirements.lock
	@touch $@

.venv/.setup: pyproject.toml .venv/.locked
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.setup
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

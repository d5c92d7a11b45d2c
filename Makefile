# Everything runs in .venv, which `make` builds from the lock files with uv. A fresh Debian machine needs Python 3.11, make and git.
# `make` lists the targets. EXTRA=gpu builds an environment for NVIDIA GPUs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
EXTRA ?= cpu
VENV ?= .venv
BIN := $(VENV)/bin
RAY_ENV := RAY_USAGE_STATS_ENABLED=0 RAY_DISABLE_IMPORT_WARNING=1
PROTOS := $(wildcard protos/vigie/v1/*.proto)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.uv: tools/bootstrap.sh
	tools/bootstrap.sh $(VENV)
	@touch $@

$(VENV)/.runtime-$(EXTRA): $(VENV)/.uv requirements/$(EXTRA).lock pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/$(EXTRA).lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements/dev.lock pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.PHONY: env
env: $(VENV)/.runtime-$(EXTRA) ## build the environment that runs Vigie

.PHONY: dev
dev: $(VENV)/.dev ## build the environment that develops Vigie

.PHONY: demo
demo: env ## play the shipped clip to recorded events
	$(BIN)/vigie demo

.PHONY: test
test: dev ## run all tests
	$(BIN)/pytest

.PHONY: lint
lint: dev ## check style, types, arrows between packages, protos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code

.PHONY: protos
protos: dev ## generate the Python of the protos
	$(BIN)/python -m grpc_tools.protoc -I protos --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy \
		--plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
		--python_out=protos --grpc_python_out=protos --mypy_out=quiet:protos --mypy_grpc_out=quiet:protos $(PROTOS)

.PHONY: bench
bench: env ## measure the speed of each part, as ratios
	$(BIN)/vigie bench limit

.PHONY: lock
lock: $(VENV)/.uv ## pin every dependency anew
	for extra in cpu gpu; do \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --extra $$extra pyproject.toml -o requirements/$$extra.lock; \
	done
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --extra cpu --group dev pyproject.toml -o requirements/dev.lock

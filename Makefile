# Each target is one command; `make` alone shows them. ARGS are handed on: make demo ARGS='--days 3'
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install demo test check bench soak clean

UV_VERSION := 0.13.9
BIN := .venv/bin
PROJECTS := pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml deploy/*/pyproject.toml)
CODE := libs services deploy/local deploy/helm deploy/images deploy/compose tests benchmarks
JOBS ?= 2 # processes that share the tests, file by file; each has a broker and a database

help: ## Show this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | expand -t 10

install: .venv/.installed ## Make .venv from uv.lock

.venv/.installed: uv.lock $(PROJECTS)
	@deploy/local/install $(UV_VERSION)
	@touch $@

demo: install ## Replay 28 days of real orders through the five services
	@$(BIN)/restock demo $(ARGS)

test: check ## Check the code, then run every test
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

check: install ## ruff, mypy --strict, import-linter
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports

bench: install ## Run a benchmark: make bench NAME=chain ARGS='--json -'
	@$(BIN)/restock bench $(NAME) $(ARGS)

SOAKS := tests/faults tests/integration/order_ingest/test_described.py tests/property/order_ingest/test_channels.py tests/property/stock_ledger/test_machine.py

soak: install ## Kill processes 70 times under load, long property tests, a whole year: an hour or more
	@RESTOCK_SOAK=1 $(BIN)/python -m pytest -s $(SOAKS)
	@$(BIN)/restock demo --days 365 $(ARGS)

clean: ## Remove .venv, local state and caches
	rm -rf .venv .restock .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

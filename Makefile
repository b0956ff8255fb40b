# What a newcomer types. scripts/setup makes .venv, DVC runs the pipeline, the tools in .venv do the rest.

.DEFAULT_GOAL := help
.PHONY: help setup setup-gpu setup-ocr setup-ray repro recipe test lint format types lock perf
BIN := .venv/bin
WITH_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv from the lock, with the developers' tools (brings uv when it is missing)
	@scripts/setup dev

setup-gpu: ## Add vllm and deepspeed to .venv (Linux with CUDA)
	@scripts/setup gpu

setup-ocr: ## Add the engine that reads text burned into pictures
	@scripts/setup ocr

setup-ray: ## Add Ray to .venv, to spread work over several machines
	@scripts/setup ray

repro: ## Set up, then run the whole pipeline of the active recipe
	@scripts/setup
	@$(WITH_VENV) $(BIN)/python -m lingshu.commands.repro

recipe: ## Make a recipe the active params.yaml: make recipe NAME=mini
	@scripts/setup
	@$(BIN)/lingshu recipe $(or $(NAME),$(error name a recipe, as in make recipe NAME=mini))

test: ## Set up, then run the tests
	@scripts/setup dev
	@$(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: setup ## Check style, formatting and import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: setup ## Format, and mend what the linter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: setup ## Check types, strictly
	$(BIN)/mypy

lock: setup ## Renew the lock from pyproject.toml (UPGRADE=1 takes newer versions)
	scripts/lock $(if $(UPGRADE),--upgrade)

perf: ## Show the time and memory of each stage, and DVC's share
	@scripts/setup
	@$(WITH_VENV) $(BIN)/python perf/stages.py

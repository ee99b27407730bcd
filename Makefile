# The verbs of this repository. Plain `make` lists them; the README shows the commands behind each.
PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
RUN := $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help book test notebooks models bench lint serve clean

help: ## list the verbs
	@grep -hE '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z]+):.*## /  make \1	/' | expand -t 18

# The environment: made anew only when what it consists of has changed.
$(VENV)/.installed: pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[book,test,reference,bench]"
	touch $@

# The models that others published: fetched once into a cache that all clones share.
$(VENV)/.models: $(VENV)/.installed $(wildcard companion/weights/*.py)
	$(RUN) -m companion.weights
	touch $@

book: $(VENV)/.installed $(VENV)/.models ## execute the chapters and build the site in _build/html
	$(RUN) -m tools.build

test: book ## run all tests: package, notebooks, site
	$(RUN) -m tools.browser
	$(RUN) -m pytest

notebooks: $(VENV)/.installed $(VENV)/.models ## execute and normalise the notebooks in book/, renew the tables and the page of the town
	$(RUN) -m tools.notebooks
	$(RUN) -m tools.sources
	$(RUN) -m tools.town_page

models: $(VENV)/.installed ## train the models of our own again: town-bert and town-gpt, in under an hour
	$(RUN) -m tools.models

bench: $(VENV)/.installed $(VENV)/.models ## run the benchmarks, side by side with the libraries
	$(RUN) -m benchmarks

lint: $(VENV)/.installed ## ruff, import-linter, pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

serve: book ## build the site and serve it at http://127.0.0.1:8000
	$(RUN) -m http.server --bind 127.0.0.1 --directory _build/html 8000

clean: ## remove everything that was built, but not the environment
	rm -rf _build node_modules web/node_modules .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# make book   the site, in _build/html          make serve   the site, at http://localhost:8000
# make test   every check                       make kit     what a reader downloads, in _build
# make bench  speed, beside plain code (claims: CARECONTRACTS_BENCH_LINES=1e8 for 100 million lines)
# make lock   requirements.lock, made again     make clean   back to a fresh clone
# make knobs  every knob of every notebook at every value of tests/knobs/knobs.yaml
#
# Needs Python 3.11 or newer and nothing else. Another Python: make book PYTHON=python3.12

PYTHON  ?= $(firstword $(shell command -v python3 || command -v python))
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 11) else "")' 2>/dev/null)
PORT    ?= 8000

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
TOOLS   := .venv/tools-$(VERSION)
READY   := .venv/ready-$(VERSION)
SCRIPTS := node_modules/.package-lock.json

PYTEST     := $(BIN)/python -m pytest -q --numprocesses auto --maxprocesses 4 --dist worksteal
NEED_PAGES := tests/pages tests/browser site

ENGINE  := $(shell find src contracts -not -path '*/__pycache__*' -not -path '*.egg-info*' 2>/dev/null)
PAGES   := $(shell find book notebooks site -type f -not -path '*/__pycache__*' -not -path '*/.ipynb_checkpoints*') _config.yml _toc.yml

export IPYTHONDIR := $(CURDIR)/.ipython
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DELETE_ON_ERROR:
.PHONY: book test checked ready serve knobs bench kit lock clean

book: _build/book.ok
	@echo
	@echo "The site is in _build/html. Open _build/html/index.html in a browser, or run: make serve"

# What needs no pages is checked first; with `make -j2 test` that is while the pages are written.
test: checked _build/book.ok
	$(PYTEST) $(NEED_PAGES)

checked: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check src tests site benchmarks notebooks
	$(BIN)/mypy
	$(PYTEST) $(addprefix --ignore=,$(NEED_PAGES))

serve: _build/book.ok
	@echo "The site is at http://localhost:$(PORT) until you press Ctrl-C."
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

knobs: $(READY)
	CARECONTRACTS_KNOBS=all $(PYTEST) tests/knobs

bench: $(READY)
	@for file in benchmarks/*.py; do $(BIN)/python $$file; done

kit: $(READY)
	@$(BIN)/python site/downloads.py

lock: $(READY)
	$(BIN)/python -m pip install -qq uv==0.13.9
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	    --no-emit-find-links --no-emit-package carecontracts --output-file requirements.lock requirements.txt

clean:
	rm -rf .venv node_modules _build .pytest_cache .ruff_cache .mypy_cache .hypothesis

ready: $(READY) $(SCRIPTS)

# The pages. The notebooks run first, on every processor; Jupyter Book finds their results in its cache.
# Pages are always written anew, since a strict build that has failed once would otherwise pass the second time.
# The package is compiled here once, and not again in every kernel.
_build/book.ok: $(READY) $(SCRIPTS) $(ENGINE) $(PAGES)
	rm -rf _build/html _build/.doctrees
	@$(BIN)/python -m compileall -q src site
	@$(BIN)/python -c 'import matplotlib.font_manager'
	@echo "Running the notebooks"
	@$(BIN)/python site/execute.py
	@echo "Writing the pages"
	@$(BIN)/jupyter-book build -q -W -n --keep-going .
	@touch $@

$(SCRIPTS): $(READY) package-lock.json
	$(BIN)/python site/vendor.py
	@touch $@

# The tools, from hashed pins; then the package, from here.
$(READY): $(TOOLS) pyproject.toml
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

$(TOOLS): requirements.lock
	@test -n "$(VERSION)" || { echo "This needs Python 3.11 or newer. Name one: make book PYTHON=python3.12"; exit 1; }
	@echo "Installing the tools into .venv (about a minute, once)"
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install -qq --require-hashes -r requirements.lock
	@touch $@

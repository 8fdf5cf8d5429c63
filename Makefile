# `make` alone lists the targets. GNU make 3.81 (macOS) or later.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
PORT := 8866
# Written last, so an interrupted install leaves none. It says in which folder .venv was made.
STAMP := $(VENV)/installed_in
# Empty if .venv is missing, has no working pip, or was moved or copied here: then it is made anew.
USABLE := $(shell [ "$$(cat $(STAMP) 2>/dev/null || echo "$(CURDIR)")" = "$(CURDIR)" ] && \
	$(VENV)/bin/python -c "import pip; print('yes')" 2>/dev/null)
ifneq ($(USABLE),yes)
.PHONY: $(STAMP)
endif

.DEFAULT_GOAL := help
.PHONY: help lab app test notebooks site slides wheel lint bench

help:
	@echo "make lab        install into $(VENV) if needed, then open JupyterLab on the first lesson"
	@echo "make app        install if needed, then serve all explorers as one page, on this computer only"
	@echo "make test       install if needed, then run every test: unit, notebooks, pairs of .py and .ipynb"
	@echo "make notebooks  install if needed, then make executed notebooks and exercise sheets from the .py sources"
	@echo "make site       install if needed, then make the book from the notebooks: open build/site/index.html, offline as well"
	@echo "make slides     install if needed, then make a deck of each lesson: open build/slides/00_start_here.html, offline too"
	@echo "make wheel      install if needed, then make dist/seem_lab-*.whl, the library with its recorded data"
	@echo "make lint       install if needed, then check format, style and types"
	@echo "make bench      install if needed, then time kernels, SEEM and the monitor side by side (some minutes)"
	@echo "All take PYTHON=..., the Python (3.11 or newer) that $(VENV) is made with: make lab PYTHON=python3.12"

# Loopback only, behind JupyterLab's token; it asks no server for news or updates.
lab: $(STAMP)
	$(RUN) jupyterlab --ip=127.0.0.1 --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
		--LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
		$$([ "$$(id -u)" -ne 0 ] || echo --allow-root)

# Loopback only; PORT=... if 8866 is taken.
app: $(STAMP)
	$(RUN) seem_lab app --port $(PORT)

# Two workers, each takes a file at a time, on one thread: the same sums in the same order everywhere. --nbval runs the
# notebooks and compares their outputs, in which a slow machine's progress bars have no place.
test: $(STAMP)
	OMP_NUM_THREADS=1 TQDM_DISABLE=1 $(RUN) pytest -n 2 --dist loadfile --nbval tests notebooks/[0-9]*.ipynb notebooks/solutions/[0-9]*.ipynb

notebooks: $(STAMP)
	$(VENV)/bin/python notebooks/build.py

# Runs no notebook. A warning, a dead link for one, is an error.
site: $(STAMP)
	$(RUN) sphinx -b html -W -q -E -c notebooks/site -d build/site-cache . build/site
	@echo "The book: build/site/index.html"

slides: $(STAMP)
	$(VENV)/bin/python notebooks/site/slides.py build/slides
	@echo "The decks: build/slides/"

wheel: $(STAMP)
	$(RUN) hatchling build --target wheel --directory dist

# Not a test: ratios of processor times, one thread. The picture goes to build/.
bench: $(STAMP)
	OMP_NUM_THREADS=1 $(VENV)/bin/python tests/benchmarks/costs.py

lint: $(STAMP)
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy seem_lab

$(STAMP): pyproject.toml constraints.txt
	@[ "$(USABLE)" ] || command -v "$(PYTHON)" >/dev/null || { \
		echo "There is no '$(PYTHON)' here: install Python 3.11 or newer (Debian, Ubuntu: apt install python3 python3-venv;" \
			"macOS: python.org or brew), or name yours: make PYTHON=/path/to/python3 lab"; exit 1; }
	@[ "$(USABLE)" ] || "$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || { \
		echo "'$(PYTHON)' is $$("$(PYTHON)" --version 2>&1 | head -n 1), but seem_lab needs Python 3.11 or newer:" \
			"install one and name it: make PYTHON=python3.11 lab"; exit 1; }
	@[ "$(USABLE)" ] || "$(PYTHON)" -c "import venv, ensurepip" 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments: its venv or ensurepip module is missing" \
			"(Debian, Ubuntu: apt install python3-venv; elsewhere a complete Python 3.11 or newer)."; exit 1; }
	@[ "$(USABLE)" ] || "$(PYTHON)" -m venv --clear $(VENV)
	$(RUN) pip install --disable-pip-version-check -c constraints.txt -e ".[lab,book,test,dev,control,sweeps,adapters]"
	@$(RUN) pip check
	@cd notebooks && ../$(VENV)/bin/python -c "import jupyterlab, ipywidgets, torch, seem_lab as sl; \
		q = sl.linear_q(8); value = sl.seem(q, *sl.baird_star().bootstrap(q)).value; \
		assert abs(value - 1.675) < 1e-3, value; \
		print(f'seem_lab {sl.__version__} works, with torch {torch.__version__}: Baird star has SEEM {value:.3f}')"
	@echo "$(CURDIR)" > $@

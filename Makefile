# Everything from a fresh clone with nothing but python3 and make. `make help` lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
PEOPLE ?= 20000
export PEOPLE

# The Python of the machine, never a downloaded one; nothing outside the checkout but uv's cache.
export UV_PYTHON_DOWNLOADS = never
export UV_PYTHON_PREFERENCE = only-system
export UV_PROJECT_ENVIRONMENT = .venv
ifneq ($(shell mkdir -p "$${XDG_CACHE_HOME:-$$HOME/.cache}" 2>/dev/null && test -w "$${XDG_CACHE_HOME:-$$HOME/.cache}" && echo yes),yes)
export UV_CACHE_DIR = .tools/cache
export PIP_NO_CACHE_DIR = 1
endif
# Trust what pip and everything else here trusts, where the machine has certificates of its own.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS = 1
endif
export DO_NOT_TRACK = 1
# Every process of Prefect imports thousands of modules: compiled once, or seconds of compiling in each of them.
export UV_COMPILE_BYTECODE = 1
unexport PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python
UV = $(shell cat .make/uv)
# The folder is part of the stamp: an environment holds absolute paths and is made anew in a copied checkout.
PLACE := $(shell pwd | cksum | cut -d' ' -f1)
READY := .make/ready-$(PLACE)
READY_TO_BENCH := .make/ready-bench-$(PLACE)

.PHONY: help setup demo test browser pictures newcomer check bench bench-reconcile bench-provide bench-purge bench-log bench-vein soak mutants clean-demo up day down

help:  ## 使い方を表示する / list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(READY)  ## 必要なものを .venv に用意する / install what is needed into .venv

demo: $(READY)  ## 実際の地名・氏名で受入を最初から最後まで動かす (PEOPLE=20000) / run the intake end to end
	@$(call offices,down)
	@$(PY) -m simulator.demo

test: $(READY)  ## すべての試験 / all tests
	@$(PY) -m pytest -n auto --maxprocesses 8 --dist loadfile

browser: $(READY)  ## 画面での一日をこの機械の Chromium で試す / a day at the screens in this machine's Chromium
	@$(PY) -m pytest -s tests/browser/browser_story.py

pictures: $(READY)  ## 文書の図をすべて描き直す (PEOPLE=20000) / make all pictures of the documents anew
	@$(PY) scripts/pictures.py

newcomer: PEOPLE := $(if $(filter file,$(origin PEOPLE)),2000,$(PEOPLE))
newcomer:  ## 複製から初めての実行までの時間を測る (PEOPLE=2000) / time the path from a clone to the first run
	@$(PYTHON) scripts/newcomer.py

check: $(READY)  ## 書式・型・構造・依存の検査 / lint, types, architecture, lock file
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m mypy verifier/juki_verify.py
	@$(PY) -m pytest tests/architecture
	@$(UV) lock --check

bench: $(READY_TO_BENCH)  ## 受入の速さを比べる (SIZES=1000,100000) / measure the intake against the floor and peers
	@.venv-bench/bin/python -m bench

bench-reconcile: $(READY_TO_BENCH)  ## 照合の速さを比べる (SIZES=70000,1330000) / measure the comparison against floors and peers
	@.venv-bench/bin/python -m bench.reconcile

bench-purge: $(READY)  ## 個人番号の消去の速さを測る (NUMBERS=100000 KEPT=900000) / measure the purge of held numbers
	@$(PY) -m bench.purge

bench-provide: $(READY)  ## 提供の速さを比べる (SIZES=10000,100000) / measure answers to requests against the floor
	@$(PY) -m bench.provide

bench-log: $(READY)  ## 操作ログの署名・検証・書出しの速さ (ENTRIES=1000000) / measure signing and verifying the log
	@$(PY) -m bench.log

bench-vein: $(READY)  ## 静脈認証の代わりの誤り率と攻撃の成否 (PALMS=100) / measure the errors of the vein stand-in
	@OPENBLAS_NUM_THREADS=1 $(PY) -m bench.vein

soak: $(READY)  ## 性質の試験を長く回す / run the properties for long
	@$(PY) -m pytest tests/properties tests/flows/test_channel_histories.py tests/wire/test_hostile_bytes.py \
	  --hypothesis-profile=soak
	@$(PY) -m pytest tests/flows/soak_kill_points.py tests/flows/soak_kill_reconciliation.py \
	  tests/flows/soak_kill_forwarding.py tests/flows/soak_kill_custody.py tests/flows/soak_kill_provision.py
	@$(PY) -m pytest tests/flows/soak_kill_site.py tests/flows/soak_site_alarms.py \
	  tests/flows/soak_site_canary.py tests/flows/soak_two_workers.py tests/flows/soak_prefect_schema.py
	@$(PY) -m pytest tests/scenarios/soak_jlis_days.py tests/scenarios/soak_every_fault.py
	@$(PY) -m pytest tests/store/soak_benchmark.py tests/store/soak_reconcile_benchmark.py tests/store/soak_log_benchmark.py

mutants: $(READY)  ## 規則を一つずつ壊して試験が気付くか確かめる / flip every rule, each must be caught
	@$(call when,bench/mutants.py,$(PY) -m bench.mutants)

# The municipalities that `make demo` made go on living beside it; without a demo there are none to start.
up: $(READY)  ## Prefect・ワーカ・予定・警報をすべて起動する / start server, worker, schedules and alarms
	@$(call offices,up)
	@$(PY) -m juki up

day: $(READY)  ## デモの市町村に一日を過ごさせ、通知を出させる / let the demo's municipalities live a day
	@$(PY) -m simulator offices day

down: $(READY)  ## up で起動したものをすべて止める / stop everything `make up` started
	@$(PY) -m juki down
	@$(call offices,down)

clean-demo: $(READY)  ## デモのデータを消す / remove what the demo made
	@$(PY) -m juki down
	@$(call offices,down)
	@home="$${JUKI_HOME:-.juki}"; if [ -d "$$home" ] && [ ! -f "$$home/demo-summary.json" ]; then \
	  echo "$$home はデモのものではありません / is not the demo's" >&2; exit 1; fi; rm -rf -- "$$home"

offices = if [ -f "$${JUKI_HOME:-.juki}/exercise/kept.json" ]; then $(PY) -m simulator offices $(1); fi
when = if [ -f $(1) ]; then $(2); else echo "$(1) はまだありません / is not there yet"; fi

.make/uv: scripts/bootstrap_uv.py
	@mkdir -p .make
	@$(PYTHON) scripts/bootstrap_uv.py > $@.new && mv $@.new $@

$(READY): pyproject.toml uv.lock .make/uv
	@echo "必要なものを用意しています / preparing .venv" >&2
	@$(call environment,.venv,)
	@touch $@

$(READY_TO_BENCH): pyproject.toml uv.lock .make/uv
	@echo "比べる相手を用意しています / preparing .venv-bench" >&2
	@$(call environment,.venv-bench,--no-default-groups --group simulator --group bench)
	@touch $@

# $(call environment,folder,groups): what uv.lock names, in a folder of its own.
# Where the files named in uv.lock can not be reached, pip's own index serves the same files by the same hashes.
environment = UV_PROJECT_ENVIRONMENT=$(1) $(UV) sync --frozen --quiet $(2) || { \
  $(UV) export --frozen --quiet $(2) --no-emit-project --output-file .make/requirements$(1).txt && \
  $(UV) venv --quiet --allow-existing $(1) && \
  $(PYTHON) -m pip --python $(1)/bin/python install --quiet --no-deps --require-hashes -r .make/requirements$(1).txt && \
  $(PYTHON) -m pip --python $(1)/bin/python install --quiet --no-deps --editable . ; }

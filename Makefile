# Every target works offline, with the modules that go.mod names in the cache.
GO ?= go
FUZZTIME ?= 60s
BENCHTIME ?= 1s
BIN := bin/mambac

.PHONY: all demo test test-client test-page test-platforms check race emulated generate templates fuzz bench figures load faults bench-lookup bench-serve bench-peers context-curve test-peers clean

all: $(BIN)

# The go command knows best what is out of date.
.PHONY: $(BIN)
$(BIN):
	$(GO) build -trimpath -o $(BIN) ./cmd/mambac

# Compiles the bundled checkpoint to a static program and runs it.
demo: $(BIN)
	$(BIN) demo

# Format, vet, staticcheck and the house rules, here and where nobody sits.
check:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "error: not formatted; run gofmt -w ." >&2; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags figures,peers,curve,serving,load,client,page,lookup ./cmd/mambac
	GOARCH=arm64 $(GO) vet ./...
	$(GO) tool staticcheck ./...
	GOOS=darwin GOARCH=arm64 $(GO) build ./...
	GOOS=windows GOARCH=amd64 $(GO) build ./...
	GOARCH=riscv64 $(GO) build ./...
	GOARCH=386 $(GO) build ./...
	GOOS=wasip1 GOARCH=wasm $(GO) build ./runtime/...
	$(GO) test ./cmd/mambac -run TestHouse -count=1

# Everything, with a short run of every fuzz target at the end: a number of
# inputs, for a run that ends by the clock may fail by it. What go test would vet
# check has vetted.
test: check
	$(GO) test -vet=off -timeout 30m ./...
	$(MAKE) race
	$(MAKE) fuzz FUZZTIME=1000x

# Programs for other platforms: built for all, checked on every one that can be
# had here. Wine and qemu are Debian's wine64 and qemu-user-static; what is
# missing is skipped, or an error with MAMBAC_REQUIRE_PLATFORMS=1.
test-platforms:
	GOOS=darwin GOARCH=arm64 $(GO) vet ./runtime/...
	GOOS=freebsd GOARCH=arm64 $(GO) vet ./runtime/...
	GOOS=windows GOARCH=amd64 $(GO) vet ./runtime/...
	GOOS=wasip1 GOARCH=wasm $(GO) vet ./runtime/...
	$(GO) vet -tags platforms ./cmd/mambac
	$(GO) test ./cmd/mambac -tags platforms -run TestPlatforms -timeout 30m -count 1 -v

# OpenAI's own client, whose modules come from where all others do and take minutes
# to compile, against a server.
test-client:
	$(GO) test ./cmd/mambac -tags client -run TestOfficialClient -count 1 -v

# The page of a server in a real browser, Debian's chromium, which a module drives
# that comes from where all others do. PICTURES is a folder, as a whole path, for
# pictures of it.
test-page: export MAMBAC_PICTURES := $(PICTURES)
test-page:
	$(GO) test ./cmd/mambac -tags page -run TestPageInBrowser -count 1 -v

# Many goroutines at once under the race detector, which needs a C compiler.
race:
	@if command -v "$$($(GO) env CC)" >/dev/null; then \
		set -x; \
		CGO_ENABLED=1 $(GO) test -vet=off -race ./runtime/model ./runtime/engine ./runtime/parallel ./runtime/schedule ./runtime/serve ./runtime/prefix ./runtime/shelf ./runtime/library ./runtime/terminal ./runtime/app/chat && \
		CGO_ENABLED=1 $(GO) test -vet=off -race ./generated -run TestUse && \
		cd examples/answers && $(GO) generate && CGO_ENABLED=1 $(GO) test -vet=off -race .; \
	else \
		echo "no C compiler ($$($(GO) env CC)): nothing is run under the race detector"; \
	fi

# The levels of other architectures in an emulator, which must be there (Debian
# has it in qemu-user-static), and texts at a level that few machines have, in
# the interpreter.
emulated:
	MAMBAC_REQUIRE_LEVEL=neon $(GO) test ./codegen/arm64 -count 1
	MAMBAC_REQUIRE_LEVEL=neon $(GO) test ./codegen/ladder ./cmd/mambac -run Emulated -count 1
	MAMBAC_INTERPRET_TEXTS=1 $(GO) test ./cmd/mambac -run InterpretedTexts -timeout 60m -count 1

# Deletes what mambac has generated and makes it again.
generate:
	$(GO) test ./generated -run TestFresh -update

# Renders the chat templates of the tests with two oracles, python3-jinja2 of
# Debian and @huggingface/jinja of npm (the network once), holds them against each
# other and records what the first made.
TEMPLATES := codegen/template/testdata
templates:
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	npm install --silent --no-audit --no-fund --prefix "$$folder" @huggingface/jinja@0.5.11; \
	node $(TEMPLATES)/oracle.mjs "$$folder" >"$$folder/other.json"; \
	python3 $(TEMPLATES)/record.py "$$folder/other.json"

# Every fuzz target for FUZZTIME, one after the other: the tests of each package that
# has one are linked once, as go test -fuzz does it, and what is found to be
# interesting lies where that would look for it.
fuzz:
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; found=$$($(GO) env GOCACHE)/fuzz; \
	for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
		$(GO) test -vet=off -c -fuzz . -o "$$folder/fuzz" $$package; \
		path=$$($(GO) list $$package); \
		for target in $$(cd $$package && "$$folder/fuzz" -test.list '^Fuzz'); do \
			echo "$$package $$target"; \
			(cd $$package && "$$folder/fuzz" -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) -test.fuzzcachedir "$$found/$$path"); \
		done; \
	done

bench:
	$(GO) test ./... -run '^$$' -bench . -benchtime $(BENCHTIME)

# Measures on this machine what is claimed of mamba-130m, mamba-2.8b and hybrids:
# 24 GB in the folder for temporary files, some minutes, nothing else running. PART,
# such as memory-130m, is one of the subtests.
figures:
	$(GO) test ./cmd/mambac -tags figures -run 'TestFigures$$/$(PART)' -timeout 60m -count 1 -v

# 64 clients stream from a server at once for LOADTIME, 10 % of them leave and 5 %
# ask nonsense: every text as it is alone, nothing left behind.
load:
	$(GO) test ./cmd/mambac -tags load -run TestLoad -count 1 -v

# 10,000 clients that leave at any time, bodies of 100 MB, and a text now and then,
# which is as it is alone; nothing left behind.
faults:
	$(GO) test ./cmd/mambac -tags load -run TestFaults -count 1 -v

# Measures a server of mamba-130m: 16 streams against bench, what a long prompt costs
# those beside it, and the first token behind one that was read before; writes
# docs/serving.md. Some minutes; nothing else may run. ROUNDS, GEN (tokens of a
# stream), THREADS, WEIGHTS, MODELS, TRIES (of a sample that others disturb),
# SERVE_CACHE, SERVE_OUT (whose docs are written) and MAMBAC_MODELS (beside which there
# are tokenizers) may be set, folders as whole paths.
bench-serve:
	$(GO) test ./cmd/mambac -tags serving -run TestServing$$ -timeout 1h -count 1 -v

# How much faster texts are with speculation: go-mamba-20m continues held-out Go
# code, and what it wrote is written again by mamba-130m of random weights, whose
# passes read as much as those of a trained one. Some minutes, nothing else running.
# WINDOWS (texts, at most 16), WEIGHTS (of mamba-130m, several) and MAMBAC_MODELS
# (trained models, a whole path) may be set.
bench-lookup: export WINDOWS := $(WINDOWS)
bench-lookup: export WEIGHTS := $(WEIGHTS)
bench-lookup:
	$(GO) test ./cmd/mambac -tags lookup -run TestLookupFigures -timeout 60m -count 1 -v

# Measures mambac against llama.cpp, which it takes from npm and builds for this
# processor (npm, git, cmake, a C++ compiler, the network once), and writes
# docs/peers.md, docs/peers.svg and the table of the README. Nothing else may run.
# docs/peers.json has the figures: a run keeps those of models that it does not
# measure, if machine and llama.cpp are the same.
# A short run: make bench-peers ROUNDS=1 MODELS=mamba-130m FORMATS="f16 int8".
# THREADS, TRIES (of a sample that others disturb), CHUNKS (of text, for what
# rounding costs), PEERS_CACHE, PEERS_OUT (whose docs and README are written),
# LLAMA_BIN (programs that are there already) and MAMBAC_MODELS (trained models)
# may be set too, folders as whole paths.
bench-peers: export ROUNDS := $(ROUNDS)
bench-peers: export MODELS := $(MODELS)
bench-peers: export FORMATS := $(FORMATS)
bench-peers:
	$(GO) test ./cmd/mambac -tags peers -run TestPeers$$ -timeout 12h -count 1 -v

# Holds llama.cpp against the reference implementations and the evaluator, with
# files that mambac has converted for it: what bench-peers needs, and no silence.
test-peers:
	$(GO) test ./cmd/mambac -tags peers -run TestPeersConvert -timeout 1h -count 1 -v

# Measures a Mamba, a Mamba-2, a hybrid and a transformer of one size along a long
# text, and the loss by position of the trained models, and writes docs/context.md,
# .csv, .svg and the table of the README. Half an hour, 6 GB of memory, 2 GB of
# disk; nothing else may run. A short run:
# make context-curve CONTEXTS="64 128" REPEATS=1 MODELS="mamba llama".
# GEN (tokens of a sample), THREADS, TRIES (of a length that others disturb),
# WEIGHTS, CURVE_CACHE, CURVE_OUT (whose docs and README are written) and
# MAMBAC_MODELS (trained models) may be set too, folders as whole paths; MODELS
# may name presets and families of synth too.
context-curve: export CONTEXTS := $(CONTEXTS)
context-curve: export REPEATS := $(REPEATS)
context-curve: export MODELS := $(MODELS)
context-curve:
	$(GO) test ./cmd/mambac -tags curve -run TestCurve$$ -timeout 6h -count 1 -v

clean:
	rm -rf bin

# Tasks by name, for `just` (https://just.systems). Each is one command that can be typed without it.

# List the tasks.
default:
    @just --list

# Build the program as it is released.
build:
    cargo build --release --locked

# Run the tests.
test *ARGS:
    cargo test --locked {{ARGS}}

# What CI checks before the tests.
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

# Licences, advisories and bans; needs cargo-deny.
deny:
    cargo deny --config .deny.toml check

# See everything in a minute, without a network.
demo:
    cargo run --release --locked -- demo --worker-only

# Side by side with curl and wget2, against a local nginx.
bench: build
    GANNET=target/release/gannet tests/bench/fetch.sh
    GANNET=target/release/gannet tests/bench/scale.sh

# The whole job over a shell, against a local nginx.
accept: build
    GANNET=target/release/gannet tests/acceptance.sh

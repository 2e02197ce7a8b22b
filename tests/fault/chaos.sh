#!/bin/bash
# The short chaos: half a minute of war with a seed that is always the same, and as much with a fresh one.
set -u
cd "$(dirname "$0")/../.." || exit 2
MINUTES=${MINUTES:-0.4} exec timeout 400 node tests/fault/chaos/main.mjs "${SEED:-1}" fresh

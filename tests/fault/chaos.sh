#!/bin/bash
# The short chaos: some half a minute of war with a seed that is always the same, and as much with a fresh one.
set -u
cd "$(dirname "$0")/../.." || exit 2
MINUTES=${MINUTES:-0.45} exec timeout 900 node tests/fault/chaos/main.mjs "${SEED:-1}" fresh

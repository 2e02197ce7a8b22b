#!/bin/bash
# The crash tests, over the programs of $FAULT_BUILD, which are built with FG_FAULT.
set -u
cd "$(dirname "$0")/../.." || exit 2
export BUILD=${FAULT_BUILD:-build-fault}
exec timeout 600 node --test --test-reporter=tap tests/fault/*.test.mjs

#!/bin/bash
# Builds provider_fuzz.c, makes its seeds (every recorded answer, read by its own adapters in every way) and runs it.
#
#   tests/fuzz/provider.sh [SECONDS]      CLANG=clang-14, BUILD=build
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
seeds=$build/provider_seeds
corpus=$build/provider_corpus
mkdir -p "$seeds" "$corpus"

# All that translates, and what it stands on; no database.
mapfile -t sources < <(ls core/provider/*.c core/io/*.c core/base/*.c |
    grep -v -E '^core/(provider/(catalogue|route|schema|verify)|io/(child|db)|base/(env|fault))')
"${CLANG:-clang-14}" -std=c17 -D_DEFAULT_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=all -Icore tests/fuzz/provider_fuzz.c "${sources[@]}" \
    -lcurl -ljson-c -lb2 -lcrypto -linih -o "$build/provider_fuzz"

# As provider_fuzz.c has them.
names=(openai fal replicate runway luma luma_agents veo kling kling_legacy minimax minimax_v2 comfyui)
# Of the second byte: submit, poll step 0, poll step 1, list page 0, list page 1, cancel, callback, upload.
functions=(000 001 007 002 010 003 004 005)
# Of the third: 200, 400, 422, 503.
statuses=(000 005 015 022)

seed() { # adapter's number, its name, file
    local function status base=${3##*/}
    for function in "${functions[@]}"; do
        for status in "${statuses[@]}"; do
            {
                # shellcheck disable=SC2059
                printf "\\$(printf %03o "$1")\\$function\\$status"
                cat "$3"
            } >"$seeds/$2-${base%.json}-$function-$status"
        done
    done
}

for i in "${!names[@]}"; do
    folder=tests/data/providers/${names[i]}
    [ -d "$folder" ] || folder=${folder%_*} # two surfaces of one vendor
    [ -d "$folder" ] || continue
    for file in "$folder"/*.json; do
        seed "$i" "${names[i]}" "$file"
    done
done
exec "$build/provider_fuzz" -max_total_time="${1:-60}" -max_len=4096 -artifact_prefix="$build/" "$corpus" "$seeds"

#!/bin/bash
# SPDX-License-Identifier: MIT
# The classic way without a linker: minject.exe --inplace on a copy of a program that knows nothing of
# the allocator. Before, the program's tests fail (nothing is redirected); after, and by minject run,
# they pass and the redirect says so.
#
#   inject.sh LAUNCHER FOLDER WORK PROGRAM
#
# FOLDER is that of the built files, PROGRAM one of them, WORK a folder of this test's own.
# MI_PRODUCT names a folder of other product files.
set -euo pipefail

launcher=$1 folder=$2 work=$3 program=$4
product=$folder
if [ -n "${MI_PRODUCT:-}" ]; then
    product=$MI_PRODUCT
    work=$work-$(basename "$(dirname "$product")")
fi

fail() { printf 'inject.sh: %s\n' "$*" >&2; exit 1; }

rm -rf "$work"
mkdir -p "$work"
cp "$folder/$program" "$product"/{minject.exe,mimalloc-override.dll} \
    "$product"/mimalloc-redirect*.dll "$work"
cd "$work"

if "$launcher" "$work/$program" >before.txt 2>&1; then
    cat before.txt
    fail "the program is redirected before anything was done to it"
fi
grep -q '^FAIL a_block_of_malloc_is_ours' before.txt || { cat before.txt; fail "it fails otherwise"; }

MIMALLOC_VERBOSE=1 "$launcher" "$work/minject.exe" run "$program" >run.txt 2>&1 || {
    cat run.txt
    fail "minject run fails"
}
grep -q 'redirected: yes' run.txt || fail "minject run does not redirect"

"$launcher" "$work/minject.exe" --inplace --force "$program"
MIMALLOC_VERBOSE=1 "$launcher" "$work/$program" >after.txt 2>&1 || {
    cat after.txt
    fail "the injected program fails"
}
cat after.txt
grep -q 'redirected: yes' after.txt || fail "MIMALLOC_VERBOSE=1 does not say 'redirected: yes'"
MIMALLOC_DISABLE_REDIRECT=1 MIMALLOC_VERBOSE=1 "$launcher" "$work/$program" \
    >disabled.txt 2>&1 && fail "MIMALLOC_DISABLE_REDIRECT=1 did not turn it off"
grep -q 'redirected: no' disabled.txt || { cat disabled.txt; fail "it does not say 'redirected: no'"; }

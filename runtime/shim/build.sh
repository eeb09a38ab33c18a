#!/bin/sh
# Builds runtime/shim/build/orch-shim when a source is newer than it. CC chooses the compiler.
set -eu
cd "$(dirname "$0")"
output=build/orch-shim
if [ -x "$output" ] && [ -z "$(find . -maxdepth 1 \( -name '*.[ch]' -o -name build.sh \) -newer "$output" | head -n 1)" ]; then
  exit 0
fi
mkdir -p build
"${CC:-cc}" -std=gnu17 -O2 -Wall -Wextra -Werror -static -o "$output.$$" \
  main.c server.c client.c run.c detached.c program.c monitor.c control.c log.c overlay.c frame.c
mv "$output.$$" "$output"

#!/usr/bin/env bash
# Installs what is missing, then runs the whole test suite; ends with `N passed, N failed`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
"$root/deploy/setup.sh" test
cd "$root"
exec "$root"/node_modules/.bin/node tools/test-all.ts

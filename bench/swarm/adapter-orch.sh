#!/usr/bin/env bash
# orch's adapter for a side-by-side benchmark with Docker Swarm: called as `adapter-orch.sh FUNCTION ARGS...`; every
# function prints to stdout and exits 0. What orch does not have yet exits 3 with a sentence.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
ORCH=$ROOT/bin/orch
LAB=${ORB_LAB:-swb}
SUBNET=${ORB_NET:-192.168.78}
STATE=/var/lib/orch-lab/$LAB
TAR=/tmp/orch-bench-demo.tar

on() { local node=$1; shift; "$ORCH" -H "unix://$STATE/n$node/run/orch.sock" "$@"; }
mgr() { echo "${MGR:-1}"; }
img() { case $1 in bb | web1 | web2 | iperf) echo "$1:1" ;; *) echo "$1" ;; esac; }
missing() { echo "orch: $* is not built yet" >&2; exit 3; }
field() { "$ROOT/node_modules/.bin/node" -e 'const n = JSON.parse(require("fs").readFileSync(0, "utf8")).find((x) => x.index === Number(process.argv[1])); console.log(n[process.argv[2]])' "$1" "$2"; }
status() { "$ORCH" lab status --name "$LAB" --json | field "$1" "$2"; }

sys_caps() { echo "{\"name\":\"orch\",\"version\":\"$(sed -n "s/.*ORCH_VERSION = '\(.*\)'.*/\1/p" "$ROOT/base/version.ts")\",\"vip\":false}"; }
sys_up() {
  [ "$2" = 1 ] || missing "a cluster of $2 managers"
  "$ORCH" lab up --name "$LAB" --nodes "$1" --subnet "$SUBNET" >/dev/null || exit 1
  "$ROOT/deploy/demo-image.sh" $TAR
  local node
  for node in $(seq "$1"); do
    on "$node" image import --change 'CMD ["sleep", "100000"]' $TAR bb:1 >/dev/null
    on "$node" image import --change 'CMD ["serve", "80"]' $TAR web1:1 >/dev/null
    on "$node" image import --change 'CMD ["serve", "80"]' --change 'ENV VERSION=2' $TAR web2:1 >/dev/null
  done
}
sys_down() { "$ORCH" lab down --name "$LAB" >/dev/null; rm -f $TAR; }
sys_watch() { exec "$ROOT/node_modules/.bin/node" "$HERE/watch-orch.ts" "$STATE/n${1:-1}/run/orch.sock" "${2:-}"; }
sys_node_kill() { "$ORCH" lab kill --name "$LAB" "$1"; }
sys_node_start() { "$ORCH" lab start --name "$LAB" "$1"; }
sys_leader() { echo 1; }
sys_addr() { echo "$SUBNET.$1"; }
sys_client_ns() { echo "/run/netns/orch-$LAB"; }
sys_node_ns() { echo "/proc/$(status "$1" initPid)/ns/net"; }
sys_create() {                                    # NAME REPLICAS key=value...
  local name=$1 replicas=$2 flags=() image=bb cmd='' kv port='' mode=ingress
  shift 2
  for kv; do
    case $kv in
      image=*) image=${kv#*=} ;;
      net=*) flags+=(--network "${kv#*=}") ;;
      endpoint=*) flags+=(--endpoint-mode "${kv#*=}") ;;
      port=*) port=${kv#*=} ;;
      mode=*) mode=${kv#*=} ;;
      node=*) flags+=(--constraint "node.hostname==n${kv#*=}") ;;
      notnode=*) flags+=(--constraint "node.hostname!=n${kv#*=}") ;;
      order=*) flags+=(--update-order "${kv#*=}") ;;
      parallel=*) flags+=(--update-parallelism "${kv#*=}" --update-delay 0s) ;;
      restartdelay=*) flags+=(--restart-delay "${kv#*=}") ;;
      cmd=*) cmd=${kv#*=} ;;
      grace=*) flags+=(--stop-grace-period "${kv#*=}") ;;
    esac
  done
  [ -z "$port" ] || flags+=(--publish "mode=$mode,published=$port,target=80")
  # shellcheck disable=SC2086 # the command is a list of words
  on "$(mgr)" service create --quiet --detach --name "$name" --replicas "$replicas" "${flags[@]}" "$(img "$image")" $cmd
}
sys_scale() { on "$(mgr)" service scale --detach "$1=$2"; }
sys_update() { on "$(mgr)" service update --quiet --detach --image "$(img "$2")" "$1"; }
sys_rm() { on "$(mgr)" service rm "$@"; }
# Everything below a node's pid 1 that is not a container: its daemon, the fork server, the monitors.
sys_daemon_pids() {
  local init pid
  init=$(status "$1" initPid)
  for pid in $(descendants "$init"); do
    [ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink "/proc/$init/ns/pid")" ] && [ "$pid" != "$init" ] && echo "$pid"
  done
}
# shellcheck disable=SC2013 # pids are words
descendants() { local child; for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$child"; descendants "$child"; done; }
sys_ctr_pid() {                                   # NODE CONTAINER -> host pid
  local engine
  engine=$(cat "$STATE/n$1/data/engine-id")
  { cat /sys/fs/cgroup/{pids,memory,.}/orch/"$engine"/"$2"/cgroup.procs 2>/dev/null || true; } | sort -n | head -1
}
sys_ctr_count() { on "$1" ps -q | wc -l; }
sys_run() { missing 'the command run'; }
sys_net_create() { missing 'an overlay network'; }
sys_attach() { missing 'an overlay network'; }
sys_detach() { missing 'an overlay network'; }
sys_stack() { missing 'the command stack'; }
sys_stack_rm() { missing 'the command stack'; }
sys_registry() { missing 'a registry in the lab'; }
sys_push_random() { missing 'pushing images'; }
sys_pull() { on "$1" pull --quiet "$2"; }
sys_rmi() { on "$1" rmi "$2"; }
"$@"

#!/bin/bash
# Pid 1 of a lab node: private mounts, then the orch daemon, restarted when it ends, as systemd would.
# Arguments: HOSTNAME DATA_DIR RUN_DIR DAEMON_ARGS...
hostname=$1 data=$2 run=$3
shift 3
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/orch /var/lib/orch
mount --bind "$run" /run/orch
mount --bind "$data" /var/lib/orch
hostname "$hostname"
ip link set lo up
set +e
trap 'exit 0' TERM
while :; do
  # The network arrives after this process; the daemon must not start without it.
  until ip -4 -o addr show eth0 2>/dev/null | grep -q inet; do sleep 0.02; done
  "$@" >>"$data/daemon.log" 2>&1 </dev/null &
  daemon=$!
  echo $daemon >/run/orch/daemon.pid
  # wait -n also reaps what was orphaned to us
  while kill -0 $daemon 2>/dev/null; do wait $daemon; done
  sleep 0.2
done

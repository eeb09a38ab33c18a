#!/usr/bin/env bash
# One command from a fresh Debian machine to a three-node cluster that runs real containers.
#   sudo deploy/try.sh          set up, start the cluster, run a service, talk to it; the cluster stays up
#   sudo deploy/try.sh --down   remove the cluster and every trace of it
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
image=/var/lib/orch-lab/demo.tar

case ${1:-} in
  --down)
    [ -x "$root/node_modules/.bin/node" ] || { echo "Nothing to remove: orch is not set up here."; exit 0; }
    rm -f $image
    exec "$root/bin/orch" lab down
    ;;
  '') ;;
  *) echo "usage: deploy/try.sh [--down]" >&2; exit 2 ;;
esac

"$root/deploy/setup.sh"
export PATH="$root/bin:$PATH"
if [ -t 1 ]; then bold=$(printf "\033[1m") plain=$(printf "\033[0m"); else bold='' plain=''; fi
step() { printf "\n%s$ %s%s\n" "$bold" "$*" "$plain"; "$@"; }

if orch lab status >/dev/null 2>&1; then
  echo "The lab is already up; using it. (deploy/try.sh --down removes it.)"
else
  step orch lab up --nodes 3
fi

mkdir -p /var/lib/orch-lab
"$root/deploy/demo-image.sh" $image
for node in 1 2 3; do
  orch lab exec $node -- orch image import --change 'CMD ["serve"]' --change 'EXPOSE 8080' $image demo:1 >/dev/null
done
echo
echo "Every node has the image demo:1, made of Debian's static busybox."

if ! orch lab exec 1 -- orch service inspect web >/dev/null 2>&1; then
  step orch lab exec 1 -- orch service create --name web --replicas 3 --publish mode=host,target=8080,published=8080 demo:1
fi
step orch lab exec 1 -- orch node ls
step orch lab exec 1 -- orch service ps web

echo
echo "Talking to each replica, from outside the cluster:"
for node in 1 2 3; do
  step orch lab client -- curl -sS --max-time 10 "http://10.88.0.$node:8080/"
done

cat <<'NEXT'

The cluster stays up. Try next:
  orch lab exec 1 -- orch service ls
  orch lab exec 1 -- orch service logs web
  orch lab exec 1 -- orch service create --name sleepers --replicas 30 demo:1 sleep 1000
  orch lab kill 3                       # a power cut; watch its tasks run elsewhere:
  orch lab exec 1 -- orch service ps sleepers
  orch lab start 3
  orch lab status
  deploy/try.sh --down                  # removes every trace
NEXT

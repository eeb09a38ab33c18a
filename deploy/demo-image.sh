#!/usr/bin/env bash
# Writes the root file system of the demo image, made of Debian's static busybox, as a tar: demo-image.sh FILE
# It answers HTTP on port 8080 with the name of the container and what it was asked.
set -euo pipefail
out=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{bin,etc,tmp,www/cgi-bin,root}
cp /usr/bin/busybox "$work/bin/busybox" 2>/dev/null || cp /bin/busybox "$work/bin/busybox"
for applet in sh ash ls cat echo sleep hostname httpd nc env id ps mount mkdir rm kill true false seq date head tail grep printf readlink wc dd test touch ip ifconfig; do ln -s busybox "$work/bin/$applet"; done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$work/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$work/etc/group"
cat >"$work/www/cgi-bin/index.cgi" <<'CGI'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
echo "Hello from $(hostname)"
CGI
cat >"$work/bin/serve" <<'SERVE'
#!/bin/sh
# As pid 1 a program gets no signal that it does not ask for: stop the server when told to.
trap 'kill $server; exit 0' TERM INT
httpd -f -p "${1:-8080}" -h /www &
server=$!
echo "serving on port ${1:-8080}"
wait $server
SERVE
chmod +x "$work/www/cgi-bin/index.cgi" "$work/bin/serve"
chmod 1777 "$work/tmp"
tar -C "$work" --numeric-owner --owner=0 --group=0 --mtime=@0 -cf "$out" .

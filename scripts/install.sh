#!/usr/bin/env bash
# Installs the client: scripts/install.sh [uninstall]
#
#   PROGRAM   the program to install
#   PREFIX    where it will be, /usr/local if empty
#   DESTDIR   the folder to write into in place of /, for packages
#   NATIVE    the same program for this machine, which prints the man pages; PROGRAM if empty
#   ZSH       the folder of zsh's completions below PREFIX/share, zsh/site-functions if empty
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
# Not every shell expands it in `make install PREFIX=~/.local`.
prefix=${prefix/#\~\//$HOME/}
case "$prefix" in
  /*) ;;
  *) echo "install: PREFIX=$prefix: write an absolute path" >&2; exit 2 ;;
esac
to=${DESTDIR:-}${prefix%/}
share=$to/share
bash=$share/bash-completion/completions/vitals
zsh=$share/${ZSH:-zsh/site-functions}/_vitals
fish=$share/fish/vendor_completions.d/vitals.fish
# kubectl runs the first as `kubectl vitals`, and the second for its completions.
links=("$to/bin/kubectl-vitals" "$to/bin/kubectl_complete-vitals")

if [ "${1:-}" = uninstall ]; then
  rm -f "$to/bin/vitals" "${links[@]}" "$bash" "$zsh" "$fish" "$share"/man/man1/vitals.1 "$share"/man/man1/vitals-*.1
  exit
fi

program=${PROGRAM:?which program?}
native=${NATIVE:-$program}
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
"$native" man --out "$pages"

install -D -m 755 "$program" "$to/bin/vitals"
for link in "${links[@]}"; do
  ln -sfn vitals "$link"
done
install -D -m 644 -t "$share/man/man1" "$pages"/*.1
# Printed first, so that a failure leaves no empty file.
for pair in "bash:$bash" "zsh:$zsh" "fish:$fish"; do
  "$native" completion "${pair%%:*}" >"$pages/completion"
  install -D -m 644 "$pages/completion" "${pair#*:}"
done

#!/bin/sh
# Runs the reader in a virtual environment of its own, kept in the user's cache folder and made at the first run.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
requirements=$here/requirements.txt
hash=$(python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read() + sys.version.encode()).hexdigest()[:16])' "$requirements")
environment=${XDG_CACHE_HOME:-$HOME/.cache}/strongroom/reader-$hash
if [ ! -e "$environment/complete" ]; then
  # Made beside its place and marked last, so that an interrupted run leaves nothing that looks whole.
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --require-hashes --only-binary=:all: --requirement "$requirements"
  : > "$environment/complete"
fi
exec "$environment/bin/python" -B "$here/reader.py" "$@"

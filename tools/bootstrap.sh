#!/usr/bin/env bash
# Makes a virtual environment in the folder $1 and puts uv into it. Needs Python 3.11 or newer; Debian's Python comes without venv,
# which is installed where that is allowed.
set -euo pipefail

venv=$1
uv_version=0.13.9
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "vigie: $python is missing or older than 3.11. Install Python 3.11, or name one: make PYTHON=/path/to/python3.11" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv ca-certificates >/dev/null
    else
        echo "vigie: this Python has no venv module. Install it first: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"

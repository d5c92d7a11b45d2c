#!/usr/bin/env bash
# Installs the servers that tests and rehearsals talk to and that no lock file can bring: GStreamer's RTSP server, which runs with the
# system's own Python, and Redis, in which the head of a Ray cluster keeps what it knows; iproute2 for networks of their own. For
# Debian 12 and newer, as root. PostgreSQL comes as a wheel.
set -euo pipefail

packages=(
    gir1.2-gst-rtsp-server-1.0
    gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-base
    gstreamer1.0-plugins-good
    gstreamer1.0-plugins-ugly
    iproute2
    python3-gi
    redis-server
)
if dpkg-query --show --showformat='${db:Status-Status}\n' "${packages[@]}" 2>/dev/null | grep -cx installed | grep -qx "${#packages[@]}"; then
    exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null

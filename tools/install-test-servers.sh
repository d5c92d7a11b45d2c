#!/usr/bin/env bash
# Installs the servers that the tests talk to and that no lock file can bring: GStreamer's RTSP server, which runs with the system's
# own Python. For Debian 12 and newer, as root. PostgreSQL comes as a wheel.
set -euo pipefail

packages=(
    gir1.2-gst-rtsp-server-1.0
    gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-base
    gstreamer1.0-plugins-good
    gstreamer1.0-plugins-ugly
    python3-gi
)
if dpkg-query --show --showformat='${db:Status-Status}\n' "${packages[@]}" 2>/dev/null | grep -cx installed | grep -qx "${#packages[@]}"; then
    exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null

"""Machines of one site, as far as a network can tell: namespaces on a bridge, whose links can be cut and made slow.

It takes root and the commands `ip` and `tc` of iproute2. Everything that it makes has a name of its own, and goes with it.
"""

import itertools
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

from tools.errors import CommandError

# Set aside for measurements between networks (RFC 2544, appendix C.2.2), so that no real address is hidden.
_SUBNETS = "198.18.{}"
# A frame for this station reaches none: locally administered, and given to nobody.
_NOBODY = "02:00:00:00:00:01"
_LINK = "eth0"
_LOOK_S = 0.05


class Place:
    """A machine of the network: whatever runs there has its own addresses, ports and loopback."""

    def __init__(self, name: str, namespace: str, link: str, address: str) -> None:
        self.name = name
        self.address = address
        self._namespace = namespace
        self._outer = link

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command that runs another one there, in the same process."""
        return ["ip", "netns", "exec", self._namespace, *arguments]

    def pids(self) -> list[int]:
        """Of all processes that run there."""
        return [int(pid) for pid in _run("ip", "netns", "pids", self._namespace).split()]

    def kill(self) -> None:
        """Ends all that runs there at once, as a power cut would."""
        while pids := self.pids():
            for pid in pids:
                send(pid, signal.SIGKILL)
            time.sleep(_LOOK_S)

    def cut(self) -> None:
        """Pulls its cable."""
        _run("ip", "link", "set", self._outer, "down")

    def join(self) -> None:
        """Plugs the cable in again."""
        _run("ip", "link", "set", self._outer, "up")

    def lose_sight_of(self, other: "Place") -> None:
        """Lets nothing more pass between it and another, without telling either."""
        for here, there in ((self, other), (other, self)):
            here.run("ip", "neigh", "replace", there.address, "lladdr", _NOBODY, "dev", _LINK, "nud", "permanent")

    def see_again(self, other: "Place") -> None:
        """Lets everything pass again that `lose_sight_of` stopped."""
        for here, there in ((self, other), (other, self)):
            here.run("ip", "neigh", "del", there.address, "dev", _LINK)

    def slow(self, kilobits_per_s: int) -> None:
        """Lets so much pass in a second, each way."""
        shape = ("root", "tbf", "rate", f"{kilobits_per_s}kbit", "burst", "16kb", "latency", "400ms")
        _run("tc", "qdisc", "replace", "dev", self._outer, *shape)
        self.run("tc", "qdisc", "replace", "dev", _LINK, *shape)

    def hasten(self) -> None:
        """Takes away what `slow` did."""
        _run("tc", "qdisc", "del", "dev", self._outer, "root")
        self.run("tc", "qdisc", "del", "dev", _LINK, "root")

    def run(self, *command: str) -> None:
        """Runs a short command there. Raises CommandError where it fails."""
        _run(*self.command(command))


class Network:
    """A bridge, and a place for each machine.

    A context manager, which is to be entered first; at its end everything that runs there is killed, and all is gone. Entering
    raises CommandError where this machine has no namespaces to give.
    """

    def __init__(self) -> None:
        tag = secrets.token_hex(2)
        self._prefix, self._bridge = f"vigie-{tag}", f"vg{tag}"
        self._numbers = itertools.count(2)
        self._subnet = ""
        self._places: list[Place] = []

    def place(self, name: str) -> Place:
        """A new machine, connected to all others and to this one."""
        number = next(self._numbers)
        namespace, link, address = f"{self._prefix}-{name}", f"{self._bridge}-{number}", f"{self._subnet}.{number}"
        _run("ip", "netns", "add", namespace)
        place = Place(name, namespace, link, address)
        self._places.append(place)
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", _LINK, "netns", namespace)
        _run("ip", "link", "set", link, "master", self._bridge, "up")
        for arguments in (
            ("link", "set", "lo", "up"),
            ("link", "set", _LINK, "up"),
            ("addr", "add", f"{address}/24", "dev", _LINK),
        ):
            _run("ip", "-n", namespace, *arguments)
        return place

    def remove(self) -> list[int]:
        """Kills what still runs, and takes all away; returns the ids of the processes that were still there."""
        left = [pid for place in self._places for pid in place.pids()]
        while self._places:
            place = self._places.pop()
            place.kill()
            _run("ip", "netns", "del", f"{self._prefix}-{place.name}")
        with suppress(CommandError):  # it was never made, or is gone already
            _run("ip", "link", "del", self._bridge)
        return left

    def __enter__(self) -> Self:
        if problem := unavailable():
            raise CommandError(problem)
        self._subnet = _free_subnet()
        _run("ip", "link", "add", self._bridge, "type", "bridge")
        try:
            _run("ip", "addr", "add", f"{self._subnet}.1/24", "dev", self._bridge)
            _run("ip", "link", "set", self._bridge, "up")
        except CommandError:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def unavailable() -> str:
    """Why this machine cannot have such a network, and what to do; empty where it can."""
    if missing := [tool for tool in ("ip", "tc") if shutil.which(tool) is None]:
        return f"needs {' and '.join(missing)}: apt-get install iproute2"
    if os.geteuid():
        return "needs network namespaces, which only root may make: run it as root"
    name = f"vigie-probe-{secrets.token_hex(2)}"
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "netns", "del", name)
    except CommandError as error:
        return f"needs network namespaces, which cannot be made here: {error}; run it where CAP_SYS_ADMIN is given"
    return ""


def send(pid: int, number: signal.Signals) -> bool:
    """Sends a process a signal; whether it was still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _free_subnet() -> str:
    devices: list[dict[str, Any]] = json.loads(_run("ip", "-json", "addr"))
    taken = {address.get("local", "").rpartition(".")[0] for device in devices for address in device.get("addr_info", [])}
    return next(subnet for subnet in map(_SUBNETS.format, range(256)) if subnet not in taken)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise CommandError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout

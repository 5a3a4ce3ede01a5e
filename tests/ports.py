"""Ports nobody listens on."""

import socket

from scripts.installation import port_is_free


def free_ports(count: int) -> list[int]:
    """Different ones, each free a moment ago."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def free_row(count: int) -> int:
    """The first of so many free ports one after the other."""
    while True:
        [port] = free_ports(1)
        if all(port_is_free(port + n) for n in range(1, count)):
            return port

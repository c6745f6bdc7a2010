"""`rapport serve` for tests outside tests/web."""

import socket
import sys
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "web"))

from web_server import WebServer


def free_port():
    """A port that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def serve(log, *options):
    """A running server. It ends with the block."""
    server = WebServer(log, options)
    try:
        yield server
    finally:
        server.stop()

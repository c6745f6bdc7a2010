"""open_port.py COMMAND...: runs a command that finds a listening socket of this machine's loopback.

The socket stays in the network that it was opened in: a server that runs in a network of its own
(tools/isolated) is reached by it from outside. It is handed over as systemd does: file descriptor 3,
LISTEN_FDS=1; whoever starts the server sets LISTEN_PID to its process id.
"""

import os
import socket
import sys

FIRST_PORT, PORTS = 8080, 20
LISTEN_FD = 3
WAITING = 128


def listen():
    """A socket at the first port that is free."""
    for port in [*range(FIRST_PORT, FIRST_PORT + PORTS), 0]:
        try:
            return socket.create_server(("127.0.0.1", port), backlog=WAITING)
        except OSError as error:
            if port == 0:
                sys.exit(f"open_port: no port of 127.0.0.1 can be had: {error}")


def main():
    command = sys.argv[1:]
    if not command:
        sys.exit(__doc__.splitlines()[0])
    listener = listen().detach()
    os.dup2(listener, LISTEN_FD)
    # It may have had that number already, and would be closed with the start of the command.
    os.set_inheritable(LISTEN_FD, True)
    os.environ["LISTEN_FDS"] = "1"
    # Set by whoever started this, it would mean another process.
    os.environ.pop("LISTEN_PID", None)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"open_port: {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()

"""The command `rapport`: the same as the program of the ROS package, without what needs ROS."""

import signal
import sys

from rapport import _native, _runtime


def main() -> None:
    """Runs the command line of this process and ends it."""
    # Python's own handler would wait until the command is done.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _runtime.set_up()
    sys.exit(_native.run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()

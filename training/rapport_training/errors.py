"""Errors that are the user's to mend, and the one place that prints them."""

import sys
from collections.abc import Callable


class UserError(Exception):
    """Wrong input: names the thing, what was found, and what was expected."""


def run_step(step: Callable[[], None]) -> None:
    """Runs a command line step. A `UserError` becomes one line and exit code 2."""
    try:
        step()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:  # a full disk, a folder that may not be written
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)

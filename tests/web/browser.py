"""Where a browser is."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
HOW_TO_GET = (
    "no Chromium found, which the tests of the web pages need: "
    "apt install chromium (Debian), or set CHROMIUM to the path of a Chromium or Chrome"
)


def find_chromium():
    """The path of a Chromium, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)

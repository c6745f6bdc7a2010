"""tools/demo shows its robot on a page that is reached from outside of the network it runs in."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard import Viewer, robots, wait_until
from graph import BIN_DIR, ROOT

# The first time, its recording is made.
START_SECS = 240


@pytest.fixture
def demo(tmp_path):
    """The demo as `make demo` runs it, and what it prints."""
    log = tmp_path / "demo.log"
    command = [sys.executable, "tools/open_port.py", "tools/isolated", "tools/demo"]
    env = os.environ | {"RAPPORT_BIN_DIR": str(BIN_DIR)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, env=env, start_new_session=True
        )
    yield process, log
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    print(f"--- output of the demo\n{log.read_text()}")


def network(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_the_page_shows_the_robot(demo):
    process, log = demo

    def page():
        assert process.poll() is None, log.read_text()
        return re.search(r"the page (http://127\.0\.0\.1:\d+)/ as long", log.read_text())

    address = wait_until(page, "no page", START_SECS)[1]
    viewer = Viewer(address)
    try:
        wait_until(
            lambda: [m for m in viewer.of_type("emotions", "/") if m["people"]], "nobody is seen"
        )
        wait_until(lambda: robots(address)["/"]["policy"], "no policy")
        viewer.look("/")
        wait_until(lambda: len(viewer.pictures) > 5, "no pictures")
        wait_until(lambda: viewer.of_type("response", "/"), "no response")
    finally:
        viewer.close()
    (dashboard,) = [
        pid
        for pid in children(process.pid)
        if Path(f"/proc/{pid}/comm").read_text().startswith("dashboard")
    ]
    inside = network(dashboard) != network("self")
    # Ctrl-C, which reaches every process of the terminal.
    os.killpg(process.pid, signal.SIGINT)
    # 0: on a slow machine the recording had just come to its end.
    assert process.wait(20) in (130, 0)
    assert not Path(f"/proc/{dashboard}").exists()
    if not inside:
        pytest.skip("the page was shown, but this system lets nobody have a network of their own")

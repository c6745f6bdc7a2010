"""`rapport serve` as a process."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target" / "release" / "rapport"
START_SECS = 60


class WebServer:
    """A running server. `options` go to the command; with port 0 the system chooses one."""

    def __init__(self, log, options=(), port=0):
        self.log = Path(log)
        self.options = [str(option) for option in options]
        self.address = None
        self.start(port)

    def start(self, port):
        listen = [] if "--listen" in self.options else ["--listen", f"127.0.0.1:{port}"]
        # What an earlier server wrote to the same file says nothing of this one.
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", *listen, *self.options],
                stdout=log,
                stderr=log,
                env=os.environ | {"RUST_BACKTRACE": "1"},
            )
        deadline = time.monotonic() + START_SECS
        while time.monotonic() < deadline:
            found = re.findall(r"https?://[^\s/]+", self.log.read_text()[self.log_start :])
            if found:
                self.address = found[0]
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"no address within {START_SECS} s: {self.log.read_text()}")

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def restart(self):
        """Starts again at the same address."""
        self.start(self.port)

    def ask(self, path, content=None, headers=None, method=None):
        """The status and the JSON of a request to the API; a dict is sent as JSON, bytes as they are."""
        headers = dict(headers or {})
        if isinstance(content, dict):
            content = json.dumps(content).encode()
            headers["content-type"] = "application/json"
        request = urllib.request.Request(
            f"{self.address}/api/v1/{path}", data=content, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        return status, json.loads(body) if body else None

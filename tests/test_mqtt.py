"""`rapport serve --mqtt-url` with a real mosquitto: it is online, it says goodbye, its last will tells that it
was killed, and its password is not in the list of processes."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from graph import BIN_DIR, PATIENCE_SECS
from serving import free_port, serve


def program(name):
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed (Debian: apt install mosquitto mosquitto-clients)")
    return path


@pytest.fixture
def broker(tmp_path):
    """A broker with a password: its port."""
    program("mosquitto_sub")
    users, port = tmp_path / "users", free_port()
    subprocess.run(
        [program("mosquitto_passwd"), "-b", "-c", users, "robot", "secret word"], check=True
    )
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"user root\nlistener {port} 127.0.0.1\nallow_anonymous false\npassword_file {users}\n"
    )
    process = subprocess.Popen([program("mosquitto"), "-c", config])
    yield port
    process.terminate()
    process.wait(timeout=30)


def kept_status(port):
    """What the broker has kept of the robot's status; None without any."""
    got = subprocess.run(
        [program("mosquitto_sub"), "-V", "5", "-p", str(port), "-u", "robot", "-P", "secret word"]
        + ["-t", "rapport/lobby-1/status", "-C", "1", "-W", "2"],
        text=True,
        capture_output=True,
        timeout=60,
    ).stdout
    return json.loads(got)["online"] if got else None


def wait_until(is_so, message):
    deadline = time.monotonic() + PATIENCE_SECS
    while not is_so():
        assert time.monotonic() < deadline, message
        time.sleep(0.1)


@pytest.fixture
def options(tmp_path, broker):
    password = tmp_path / "password"
    password.write_text("secret word\n")
    password.chmod(0o600)
    return [
        *("--journal", tmp_path / "journal.db", "--place", "lobby"),
        *("--mqtt-url", f"mqtt://127.0.0.1:{broker}", "--mqtt-name", "lobby-1"),
        *("--mqtt-user", "robot", "--mqtt-password-file", password),
    ]


def test_a_server_is_online_until_it_ends_or_is_killed(options, broker, tmp_path):
    log = tmp_path / "log"
    with serve(log, *options) as server:
        wait_until(lambda: kept_status(broker) is True, f"never online: {log.read_text()}")
        assert "MQTT: connected to 127.0.0.1" in log.read_text()
        command = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert b"secret" not in command
        assert "secret" not in log.read_text()
    assert kept_status(broker) is False
    with serve(log, *options) as server:
        wait_until(lambda: kept_status(broker) is True, f"never online: {log.read_text()}")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(timeout=30)
        wait_until(lambda: kept_status(broker) is False, "the last will did not come")


@pytest.mark.parametrize(
    "change, message",
    [
        (["--mqtt-url", "mqtts://robot:word@broker"], "holds a user or password"),
        (["--mqtt-url", "mqtt://broker.example"], "mqtt:// sends everything unencrypted"),
        (["--mqtt-url", "broker"], "broker `broker`, expected mqtts://HOST"),
        (["--mqtt-name", "a/b"], "name of the robot `a/b`, expected a name without / + #"),
        (
            ["--mqtt-ca", "/no/such.pem", "--mqtt-url", "mqtts://broker"],
            "/no/such.pem: cannot read",
        ),
        (["--alert-webhook-file", "/no/such"], "webhook file /no/such: No such file"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_at_the_start(options, change, message):
    given = [str(option) for option in options]
    for name, value in zip(change[::2], change[1::2], strict=True):
        if name in given:
            given[given.index(name) + 1] = value
        else:
            given += [name, value]
    ended = subprocess.run(
        [BIN_DIR / "rapport", "serve", "--listen", "127.0.0.1:0", *given],
        text=True,
        capture_output=True,
        timeout=PATIENCE_SECS,
    )
    assert ended.returncode == 1
    assert message in ended.stderr

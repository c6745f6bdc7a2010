"""`rapport serve --mqtt-url` with a real mosquitto: it is online, it says goodbye, its last will tells that it
was killed, and its password is not in the list of processes."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from dashboard import ask, wait_until
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


def test_a_dashboard_is_online_and_tells_its_alerts_on_diagnostics(
    dashboard, client, namespace, broker, options, tmp_path
):
    given = {
        "journal": tmp_path / "journal.db",
        "mqtt_url": f"mqtt://127.0.0.1:{broker}",
        "mqtt_name": "lobby-1",
        "mqtt_user": "robot",
        "mqtt_password_file": tmp_path / "password",
    }
    topic = client.collect(DiagnosticArray, "/diagnostics")
    node, address = dashboard(given)

    def newest():
        found = [status for message in topic.messages for status in message.status]
        ours = [status for status in found if status.name.endswith(": alerts")]
        return ours[-1] if ours else DiagnosticStatus()

    values = lambda: {value.key: value.value for value in newest().values}  # noqa: E731
    client.spin_until(lambda: values().get("mqtt connected") == "true")
    assert values().get("mqtt connected") == "true", node.text
    assert newest().level == DiagnosticStatus.OK and newest().message == "no alert stands"
    assert newest().hardware_id == str(tmp_path / "journal.db")
    assert kept_status(broker) is True
    # Its file goes away, and a rating finds out.
    (tmp_path / "journal.db").rename(tmp_path / "elsewhere.db")
    rating = {"rating": 4, "place": namespace.removeprefix("/")}
    assert ask(address, "ratings", rating)[0] == 201
    client.spin_until(lambda: "alert journal_not_written" in values())
    assert "alert journal_not_written" in values(), node.text
    assert newest().level == DiagnosticStatus.ERROR
    assert newest().message == values()["alert journal_not_written"]


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

"""config/monitoring/mqtt-store: buckets of a broker become rows in a real PostgreSQL, once each."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from graph import PATIENCE_SECS, ROOT
from serving import free_port

MONITORING = ROOT / "config" / "monitoring"
# Debian keeps the programs of each version in a folder of its own.
FOLDERS = [str(folder) for folder in Path("/usr/lib/postgresql").glob("*/bin")]
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", *sorted(FOLDERS)])

VISITS = (
    '{"place":"%s","from_secs":%d,"to_secs":%d,"bucket":"visits","visits":%d,'
    '"smiles":{"n":%d,"count":3,"rate":0.25,"low":0.1,"high":0.5}}'
)
ANSWERS = '{"place":"hall \\"A\\"","from_secs":0,"to_secs":900,"bucket":"answers","rule":"greet","visits":10}'


def program(name):
    path = shutil.which(name, path=PATH)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian: apt install mosquitto postgresql)")
    return path


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    program("mosquitto_sub")
    port = free_port()
    config = tmp_path_factory.mktemp("broker") / "mosquitto.conf"
    config.write_text(f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([program("mosquitto"), "-c", config])
    yield port
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The name by which psql finds a database of its own."""
    folder = tmp_path_factory.mktemp("database")
    # It refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user and subprocess.run(["id", "postgres"], capture_output=True).returncode != 0:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    if user:
        # pytest's folders are for their owner alone.
        folder = Path(subprocess.check_output([*user, "mktemp", "-d"], text=True).strip())
    port = free_port()
    run = lambda *command: subprocess.run(  # noqa: E731
        [*user, *map(str, command)], check=True, capture_output=True, cwd="/", timeout=PATIENCE_SECS
    )
    run(program("initdb"), "--auth=trust", "--username=tester", "--pgdata", folder / "data")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    control = [program("pg_ctl"), "--pgdata", folder / "data", "--log", folder / "log"]
    subprocess.run(
        [*user, *map(str, control), "-w", "-t", str(PATIENCE_SECS), "-o", options, "start"],
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
    )
    name = f"postgresql://tester@127.0.0.1:{port}/postgres"
    # A second time changes nothing.
    for _ in range(2):
        psql(name, "--file", MONITORING / "store.sql")
    yield name
    run(*control, "-m", "immediate", "stop")
    run("rm", "-r", folder)


def psql(database, *arguments):
    return subprocess.run(
        [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", database, *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
    ).stdout


@pytest.fixture
def store(broker, database):
    process = subprocess.Popen(
        [MONITORING / "mqtt-store", database, "-h", "127.0.0.1", "-p", str(broker)],
        env=os.environ | {"PATH": PATH},
        start_new_session=True,
    )
    yield
    os.killpg(process.pid, 15)
    process.wait(timeout=30)


def publish(broker, topic, text, *more):
    command = [program("mosquitto_pub"), "-V", "5", "-p", str(broker), "-q", "1"]
    subprocess.run([*command, "-t", topic, "-m", text, *more], check=True, timeout=60)


def wait_for(database, query, expected):
    deadline = time.monotonic() + PATIENCE_SECS
    while (found := psql(database, "--command", query)) != expected:
        assert time.monotonic() < deadline, f"{query}: {found!r}, expected {expected!r}"
        time.sleep(0.1)


def test_buckets_become_rows_once_each(broker, database, store):
    # Kept by the broker, so it comes even if the store connects later.
    publish(broker, "rapport/r1/status", '{"online":true,"version":"0.1.0"}', "-r")
    wait_for(database, "SELECT robot, online FROM robots", "r1|t\n")
    noon = 1_793_620_800
    publish(broker, "rapport/r1/lobby/visits", VISITS % ("lobby", noon, noon + 900, 12, 12))
    # Somebody else's message stops nothing.
    publish(broker, "rapport/r1/lobby/visits", "no JSON")
    publish(broker, "rapport/r1/status", "[]")
    publish(broker, "rapport/r1/lobby/visits", VISITS % ("lobby", noon + 900, noon + 1800, 20, 18))
    publish(broker, "rapport/r1/lobby/visits", VISITS % ("lobby", noon, noon + 900, 12, 12))
    publish(broker, "rapport/r2/hall/answers", ANSWERS)
    publish(broker, "rapport/r1/status", '{"online":false,"version":"0.1.0"}', "-r")
    wait_for(database, "SELECT robot, online FROM robots", "r1|f\n")
    assert psql(database, "--command", "SELECT * FROM days") == "lobby|2026-11-02|32|30|6\n"
    rows = psql(
        database,
        "--command",
        "SELECT robot, place, kind, rule, figures FROM buckets WHERE rule <> ''",
    )
    assert rows == 'r2|hall "A"|answers|greet|{"visits": 10}\n'
    assert psql(database, "--command", "SELECT count(*) FROM inbox") == "0\n"

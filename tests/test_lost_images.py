"""Images that are lost before they arrive: noticed by the stamps, told with cause and cure."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
BLANK = np.zeros((48, 64), np.uint8)


@pytest.fixture
def status(client, namespace):
    """Waits for a status of this test's node for which something holds."""
    topic = client.collect(DiagnosticArray, "/diagnostics")

    def wait_for(condition):
        found = []

        def holds():
            statuses = [s for m in topic.messages for s in m.status]
            mine = [s for s in statuses if s.name.startswith(f"{namespace[1:]}/perception_node:")]
            found[:] = [s for s in mine[-1:] if condition(s)]
            return found

        assert client.spin_until(holds), [s.message for m in topic.messages for s in m.status][-3:]
        return found[0]

    return wait_for


def values(status):
    return {entry.key: entry.value for entry in status.values}


def send(client, camera, secs, arrives):
    """Some seconds of a camera that takes 30 images a second; what does not arrive is not sent."""
    for number in range(round(30 * secs)):
        if arrives(number):
            camera.send(BLANK)
            # As fast as the node surely takes them: nothing else is to be lost.
            client.spin_for(0.005)
        else:
            camera.image(BLANK)


def by_chance(share):
    chance = random.Random(7)
    return lambda _: chance.random() < share


@pytest.mark.parametrize(
    ("arriving", "level"), [(0.16, DiagnosticStatus.ERROR), (0.75, DiagnosticStatus.WARN)]
)
def test_lost_images_are_told_of_once_with_cause_and_cure(
    perception, client, camera, status, arriving, level
):
    topic = client.node.resolve_topic_name("image")
    send(client, camera, 30.0, by_chance(arriving))
    found = status(lambda s: "are lost" in s.message)
    assert found.level == level, found.message
    assert float(found.message.split(" %")[0]) == pytest.approx(100 * (1 - arriving), abs=15)
    assert int(values(found)["images lost"]) > 0
    for words in (topic, "config/fastdds.xml", "FASTRTPS_DEFAULT_PROFILES_FILE", "RELIABLE"):
        assert words in found.message, words
    send(client, camera, 20.0, by_chance(arriving))
    client.spin_for(2.5)
    (line,) = perception.lines("[WARN]", "are lost before they arrive")
    assert "30.0 a second" in line or "29." in line or "30." in line
    # And what is well again is well.
    send(client, camera, 20.0, lambda _: True)
    assert status(lambda s: "are lost" not in s.message)


def test_a_camera_that_slows_down_has_lost_nothing(perception, client, camera, status):
    send(client, camera, 20.0, lambda _: True)
    send(client, camera, 20.0, lambda number: number % 2 == 0)
    send(client, camera, 20.0, lambda number: number % 3 == 0)
    client.spin_for(2.5)
    assert status(lambda s: "are lost" not in s.message)
    assert not perception.lines("[WARN]", "are lost")


def test_an_expected_rate_is_held_against_it(start, client, camera, status):
    start("perception_node", {"expected_rate_hz": 30.0})
    camera.wait_until_connected()
    send(client, camera, 20.0, lambda number: number % 3 == 0)
    found = status(lambda s: "are lost" in s.message)
    assert found.level == DiagnosticStatus.ERROR and "expected_rate_hz is 30.0" in found.message


def test_without_any_profile_images_arrive_or_the_node_says_why_not(
    start, client, namespace, status, tmp_path
):
    env = {k: v for k, v in os.environ.items() if k not in PROFILES}
    node = start("perception_node", env=env | {"ROS_LOG_DIR": str(tmp_path / "ros")})
    script = Path(__file__).parent / "camera_without_profile.py"
    topic = client.node.resolve_topic_name("image")
    command = [sys.executable, script, topic, "640", "480", "450"]
    with subprocess.Popen(command, env=env) as camera:
        found = status(lambda s: int(values(s)["images received"]) > 20)
        assert client.spin_until(lambda: camera.poll() is not None)
    found = status(lambda s: int(values(s)["images received"]) > 20)
    received = int(values(found)["images received"])
    buffer = int(Path("/proc/sys/net/core/rmem_max").read_text())
    print(f"{received} of 450 arrived; net.core.rmem_max is {buffer}")
    if buffer >= 4 << 20:
        assert received > 0.9 * 450
    else:
        assert node.lines("[WARN]", "are lost before they arrive", "config/fastdds.xml")

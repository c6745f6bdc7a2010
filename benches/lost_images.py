"""How many of a camera's images arrive, by the Fast DDS profiles of both sides; best effort, 30 a
second, between two processes.

Prints the table of docs/ros-api.md: `tools/isolated python benches/lost_images.py`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray

ROOT = Path(__file__).resolve().parent.parent
NODE = Path(os.environ.get("RAPPORT_BIN_DIR", ROOT / "target" / "release")) / "perception_node"
CAMERA = ROOT / "tests" / "camera_without_profile.py"
VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
# A file that changes nothing: Fast DDS as it is, also where the node would take a file by itself.
NO_PROFILE = """<?xml version="1.0" encoding="UTF-8" ?>
<profiles xmlns="http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles">
  <participant profile_name="as_it_is" is_default_profile="true"><rtps/></participant>
</profiles>
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=300, help="images sent in each row (300)")
    images = parser.parse_args().images
    rclpy.init()
    print(f"net.core.rmem_max {Path('/proc/sys/net/core/rmem_max').read_text().strip()}")
    print("image       perception_node         camera          arrived")
    with tempfile.TemporaryDirectory() as folder:
        none = Path(folder) / "none.xml"
        none.write_text(NO_PROFILE)
        both = ROOT / "config" / "fastdds.xml"
        for width, height in ((640, 480), (1920, 1080)):
            for node, camera in ((none, None), (None, None), (both, both)):
                share = measure(width, height, images, node, camera)
                name = {none: "no profile", None: "its own choice", both: "fastdds.xml"}
                print(
                    f"{f'{width}x{height}':<11} {name[node]:<22} "
                    f"{'no profile' if camera is None else camera.name:<15} {share:.0%}"
                )
    rclpy.shutdown()


def environment(profile):
    env = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return env | ({name: str(profile) for name in VARIABLES} if profile else {})


def measure(width, height, images, node_profile, camera_profile):
    """The share of the images that the node received."""
    received = [0]

    def take(message):
        for status in message.status:
            for entry in status.values:
                if entry.key == "images received":
                    received[0] = int(entry.value)

    client = rclpy.create_node("bench")
    client.create_subscription(DiagnosticArray, "/diagnostics", take, 10)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    node = subprocess.Popen([NODE], env=environment(node_profile), **quiet)
    command = [sys.executable, CAMERA, "/image", str(width), str(height), str(images)]
    camera = subprocess.Popen(command, env=environment(camera_profile), **quiet)
    while camera.poll() is None:
        rclpy.spin_once(client, timeout_sec=0.2)
        if node.poll() is not None:
            camera.kill()
            sys.exit(f"perception_node ended with status {node.returncode}")
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        rclpy.spin_once(client, timeout_sec=0.2)
    node.terminate()
    node.wait()
    client.destroy_node()
    return received[0] / images


if __name__ == "__main__":
    main()

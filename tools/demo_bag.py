"""Make the recording of the demo: a rosbag2 MCAP of a camera that sees people come and go.

The people are the photographs of tests/pictures, moved as a camera would see them
(demo_scene.py). With --scene passers, ten people pass, for the tests of the policy. The same pictures, script and library versions give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

try:
    import numpy as np
    import yaml
    from mcap.exceptions import McapError
    from mcap.writer import CompressionType, Writer
    from rosbags.typesys import Stores, get_typestore

    import demo_scene
    from demo_scene import HEIGHT, WIDTH, Passers, Scene, SceneError, contact_sheet
except ModuleNotFoundError as error:
    sys.exit(
        f"demo_bag: found no Python module {error.name}, expected those of tools/requirements.txt; "
        "make setup, then: . .prefix/env.sh"
    )

PICTURES = Path(__file__).resolve().parent.parent / "tests" / "pictures"
TOPIC = "/camera/image_raw"
TYPE = "sensor_msgs/msg/Image"
FRAME_ID = "camera_color_optical_frame"
FRAMES_PER_SEC = 15
START_NSECS = 1_760_000_000 * 10**9
# From the camera's stamp to the arrival at the recorder.
TRANSFER_NSECS = 4_000_000
# Some frames in each chunk: what stays the same from frame to frame is then stored once.
CHUNK_BYTES = 8 << 20
# A file of this name marks a folder as written by this script, and holds what it was made from.
MARK = ".demo_bag"
LIBRARIES = ("mcap", "numpy", "pillow", "rosbags", "zstandard")


SCENES = {"demo": Scene, "passers": Passers}


class BagError(Exception):
    """Something the user can put right."""


def fingerprint(pictures: Path, scene: str) -> str:
    """What the recording is made from: scene, scripts, pictures, versions of the libraries."""
    digest = hashlib.sha256(f"{scene} ".encode())
    scripts = (Path(__file__), Path(demo_scene.__file__))
    for path in (*scripts, *(pictures / name for name in demo_scene.PICTURES)):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BagError(
                f"{path}: found {error.strerror}, expected a file of the demo; "
                "python tools/detectors/make_pictures.py writes the pictures"
            ) from None
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    for library in LIBRARIES:
        digest.update(f"{library} {importlib.metadata.version(library)} ".encode())
    return digest.hexdigest()


def mcap_name(out: Path) -> str:
    return f"{out.name}_0.mcap"


def mark_of(mcap: Path, made_from: str) -> str:
    """The content of the mark: the size tells a file that was cut short."""
    return f"{made_from} {mcap.stat().st_size}\n"


def is_current(out: Path, made_from: str) -> bool:
    """True where `out` holds the whole recording made from the same things."""
    try:
        return (out / "metadata.yaml").is_file() and (
            (out / MARK).read_text() == mark_of(out / mcap_name(out), made_from)
        )
    except (OSError, UnicodeDecodeError):
        return False


def check_free(out: Path) -> None:
    """Refuse to touch anything that this script did not write."""
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir() or out.is_symlink():
        raise BagError(f"{out}: found a file or link, expected a folder of this script or nothing")
    names = {path.name for path in out.iterdir()}
    if names and MARK not in names:
        raise BagError(f"{out}: found a folder that this script did not make, expected none")
    ours = {MARK, "metadata.yaml"}
    if strange := {name for name in names - ours if not name.endswith("_0.mcap")}:
        listed = ", ".join(sorted(strange))
        raise BagError(f"{out}: found {listed} in it, expected nothing beside the recording")


def qos_of_a_camera() -> dict:
    """The offered QoS of sensor data, as rosbag2 sees it: history is not told over DDS."""
    forever = {"sec": 9223372036, "nsec": 854775807}
    return {
        "history": "unknown",
        "depth": 0,
        "reliability": "best_effort",
        "durability": "volatile",
        "deadline": dict(forever),
        "lifespan": dict(forever),
        "liveliness": "automatic",
        "liveliness_lease_duration": dict(forever),
        "avoid_ros_namespace_conventions": False,
    }


class PlainDumper(yaml.SafeDumper):
    """YAML without anchors, which rosbag2 does not write."""

    def ignore_aliases(self, data) -> bool:
        return True


def to_yaml(value) -> str:
    return yaml.dump(value, Dumper=PlainDumper, sort_keys=False)


def metadata(name: str, type_hash: str, count: int, first: int, last: int) -> dict:
    """The content of metadata.yaml, version 9 (Jazzy). Times in nanoseconds."""
    span = {
        "duration": {"nanoseconds": last - first},
        "starting_time": {"nanoseconds_since_epoch": first},
        "message_count": count,
    }
    topic = {
        "name": TOPIC,
        "type": TYPE,
        "serialization_format": "cdr",
        "offered_qos_profiles": [qos_of_a_camera()],
        "type_description_hash": type_hash,
    }
    return {
        "version": 9,
        "storage_identifier": "mcap",
        **span,
        "topics_with_message_count": [{"topic_metadata": topic, "message_count": count}],
        # Compression inside the MCAP is the storage's own affair; these two mean another kind.
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [name],
        "files": [{"path": name, **span}],
        "custom_data": None,
        "ros_distro": "jazzy",
    }


class Progress:
    """One line on stderr: rewritten on a terminal, seldom elsewhere."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.terminal = sys.stderr.isatty()
        self.start = self.shown = time.monotonic()

    def show(self, done: int) -> None:
        now = time.monotonic()
        if done < self.total and now - self.shown < (0.2 if self.terminal else 5.0):
            return
        self.shown = now
        end = "\r" if self.terminal and done < self.total else "\n"
        line = f"demo recording: {done} of {self.total} frames, {now - self.start:.0f} s"
        print(line, end=end, file=sys.stderr, flush=True)


def write_bag(scene: Scene | Passers, folder: Path, name: str) -> int:
    """Write metadata.yaml and the MCAP into `folder`; return the number of frames."""
    types = get_typestore(Stores.ROS2_JAZZY)
    image, header, stamp_type = (
        types.types[kind] for kind in (TYPE, "std_msgs/msg/Header", "builtin_interfaces/msg/Time")
    )
    definition, _ = types.generate_msgdef(TYPE)
    type_hash = types.hash_rihs01(TYPE)
    count = round(scene.duration_secs * FRAMES_PER_SEC)
    progress = Progress(count)
    with (folder / name).open("xb") as file:
        writer = Writer(file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        writer.start(profile="ros2")
        schema = writer.register_schema(TYPE, "ros2msg", definition.encode())
        channel = writer.register_channel(
            TOPIC,
            "cdr",
            schema,
            {"offered_qos_profiles": to_yaml([qos_of_a_camera()]), "topic_type_hash": type_hash},
        )
        arrivals = []
        for index in range(count):
            stamp = START_NSECS + index * 10**9 // FRAMES_PER_SEC
            pixels = np.asarray(scene.frame(index / FRAMES_PER_SEC)).reshape(-1)
            message = image(
                header=header(stamp=stamp_type(*divmod(stamp, 10**9)), frame_id=FRAME_ID),
                height=HEIGHT,
                width=WIDTH,
                encoding="rgb8",
                is_bigendian=0,
                step=3 * WIDTH,
                data=pixels,
            )
            arrivals.append(stamp + TRANSFER_NSECS)
            data = bytes(types.serialize_cdr(message, TYPE))
            writer.add_message(channel, arrivals[-1], data, arrivals[-1], sequence=index)
            progress.show(index + 1)
        about = metadata(name, type_hash, count, arrivals[0], arrivals[-1])
        writer.add_metadata("rosbag2", {"serialized_metadata": to_yaml(about)})
        writer.finish()
    text = to_yaml({"rosbag2_bagfile_information": about})
    (folder / "metadata.yaml").write_text(text, encoding="utf-8")
    return count


def make(out: Path, scene: Scene | Passers, made_from: str) -> None:
    """Write the recording beside `out` and move it there whole, so that none is ever half."""
    check_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        start = time.monotonic()
        count = write_bag(scene, folder, mcap_name(out))
        (folder / MARK).write_text(mark_of(folder / mcap_name(out), made_from), encoding="utf-8")
        folder.chmod(0o755)
        check_free(out)
        if out.exists():
            shutil.rmtree(out)
        os.replace(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    megabytes = (out / mcap_name(out)).stat().st_size / 1e6
    print(
        f"{out}: {count} frames of {WIDTH}x{HEIGHT}, {count / FRAMES_PER_SEC:.1f} s, "
        f"{megabytes:.0f} MB, made in {time.monotonic() - start:.0f} s",
        file=sys.stderr,
    )


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to write")
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="the photographs' folder")
    parser.add_argument("--scene", choices=SCENES, default="demo", help="what the camera sees")
    parser.add_argument(
        "--only-if-changed",
        action="store_true",
        help="do nothing where OUT was made by this script from the same pictures",
    )
    parser.add_argument("--preview", type=Path, metavar="FILE.png", help="write a contact sheet")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    out = arguments.out.absolute()
    try:
        made_from = fingerprint(arguments.pictures, arguments.scene)
        current = arguments.only_if_changed and is_current(out, made_from)
        if current:
            print(f"{out}: up to date", file=sys.stderr)
        if arguments.preview and arguments.scene != "demo":
            raise BagError("--preview: expected --scene demo, whose chapters it shows")
        if not current or arguments.preview:
            scene = SCENES[arguments.scene](arguments.pictures)
        if not current:
            make(out, scene, made_from)
        if arguments.preview:
            out = arguments.preview
            contact_sheet(scene).save(out, format="PNG", optimize=True)
    except (BagError, SceneError, McapError) as error:
        print(f"demo_bag: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        # Its own file name would be that of the unfinished folder beside OUT.
        print(f"demo_bag: {out}: cannot be written: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo_bag: stopped; nothing was left behind", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

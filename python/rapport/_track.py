"""People over time: films, cameras, recordings, any iterable of frames."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from rapport._errors import RapportError, SettingError
from rapport._native import Person, Recording
from rapport._pipeline import Channels, Image, Pipeline, StrPath
from rapport._types import BagPicture

#: A film or recording by its path; a recording; frames; frames with their time in seconds.
Video: TypeAlias = (
    StrPath | Recording | Iterable[Image] | Iterable[tuple[float, Image]] | Iterable[BagPicture]
)


class Tracked(NamedTuple):
    """One frame and the people in it."""

    #: Seconds since the first frame, or as the frames have it.
    time_secs: float
    #: uint8, (height, width, 3), or as the frames are.
    pixels: Image
    people: list[Person]


def read_bag(path: StrPath) -> Recording:
    """Opens a rosbag2 recording, without ROS: a directory, or one `.mcap` or `.db3` file.

    Iterating it gives the pictures of its only topic of images; `pictures(topic)` those of one of
    several, `messages(topics)` messages as bytes.

    Raises:
        RecordingError: If there is none, or it cannot be read.
    """
    return Recording(path)


def track(
    video: Video,
    *,
    pipeline: Pipeline | None = None,
    fps: float | None = None,
    channels: Channels = "rgb",
) -> Iterator[Tracked]:
    """Follows people through a sequence: gives each frame with the people in it, one after another.

    Args:
        video: The path of a film (read by PyAV: `pip install av`) or of a rosbag2 recording; what
            `read_bag` gives; any iterable of frames, of pairs (seconds, frame), or of `BagPicture`.
        pipeline: With its settings; it is reset first. Default: `Pipeline()`.
        fps: How many frames a second there are, where frames come without their times.
        channels: As in `Pipeline.process`, of frames that are given.

    Raises:
        SettingError: If frames come without their times and `fps` is not given.
        RecordingError, ImageError, ModelError: As `read_bag` and `Pipeline.process`.
        RapportError: If a film cannot be read.
    """
    if fps is not None and not fps > 0:
        raise SettingError(f"fps is {fps}, expected a number above 0")
    if isinstance(video, str | os.PathLike):
        path = Path(video)
        video = read_bag(path) if _is_recording(path) else _film(path)
        channels = "rgb"
    pipeline = pipeline or Pipeline()
    pipeline.reset()
    return _tracked(video, pipeline, fps, channels)


def _tracked(
    video: Iterable[Any], pipeline: Pipeline, fps: float | None, channels: Channels
) -> Iterator[Tracked]:
    for number, item in enumerate(video):
        if isinstance(item, BagPicture):
            time_secs, pixels, order = item.time_secs, item.pixels, "rgb"
        elif isinstance(item, tuple):
            time_secs, pixels, order = float(item[0]), item[1], channels
        elif fps is None:
            raise SettingError(
                "the frames come without their times; expected fps, or pairs (seconds, frame)"
            )
        else:
            time_secs, pixels, order = number / fps, item, channels
        yield Tracked(time_secs, pixels, pipeline.process(pixels, time_secs, channels=order))


def _is_recording(path: Path) -> bool:
    return path.is_dir() or any(end in (".mcap", ".db3") for end in path.suffixes[-2:])


def _film(path: Path) -> Iterator[tuple[float, Image]]:
    try:
        import av
    except ImportError as error:
        raise ImportError(
            f"{path}: a film needs PyAV, which is not installed: pip install av", name="av"
        ) from error
    try:
        with av.open(os.fspath(path)) as film:
            if not film.streams.video:
                raise RapportError(f"{path}: found no pictures in it, expected a film")
            stream = film.streams.video[0]
            stream.thread_type = "AUTO"
            first = None
            for number, frame in enumerate(film.decode(stream)):
                time_secs = frame.time
                if time_secs is None:
                    time_secs = number / float(stream.average_rate or 25)
                first = time_secs if first is None else first
                yield max(0.0, time_secs - first), frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, FileNotFoundError) as error:
        raise RapportError(f"{path}: not read as a film: {error}") from error

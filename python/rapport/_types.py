"""Small values: named tuples, to unpack, compare and pickle."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Box(NamedTuple):
    """A face from forehead to chin, in pixels of the image; x to the right, y down. Possibly beyond
    the image's edges."""

    x: float
    y: float
    width: float
    height: float


class Pose(NamedTuple):
    """Where a head is, in the camera's optical frame: x right, y down, z forward. The head is taken to
    be an adult's."""

    #: From the camera to the point between the eyes, in metres.
    distance_m: float
    #: Standard deviation of the distance, in metres.
    distance_std_m: float
    #: The point between the eyes, x, y and z in metres.
    position_m: tuple[float, float, float]
    #: The turn from the camera's axes to the head's, a quaternion x, y, z, w.
    orientation: tuple[float, float, float, float]


class Timings(NamedTuple):
    """Where the time of one image went, in seconds."""

    #: Scaling, finding faces, suppressing overlaps.
    detect_secs: float
    #: Confirming faces and finding landmarks.
    verify_secs: float
    #: Following and cutting out.
    crop_secs: float
    #: Classifying and smoothing.
    classify_secs: float
    #: All of it.
    total_secs: float
    #: The part of the total inside ONNX Runtime.
    inference_secs: float


class Topic(NamedTuple):
    """A topic of a recording."""

    name: str
    #: For example `sensor_msgs/msg/Image`.
    type: str
    #: How many messages it has, where the recording says so.
    message_count: int | None
    #: The definition of the type as it was recorded; empty where it was not.
    definition: str


class BagPicture(NamedTuple):
    """A picture of a recording."""

    #: uint8, (height, width, 3) in the order red, green, blue; (height, width) where the camera is grey.
    pixels: npt.NDArray[np.uint8]
    #: Seconds since the first picture, by the camera's stamps. Fit for `Pipeline.process`.
    time_secs: float
    #: The camera's stamp in nanoseconds; None where none was set.
    stamp_ns: int | None
    #: When the recorder got it, in nanoseconds since 1970.
    log_time_ns: int
    #: Which camera.
    frame_id: str
    #: Its number on the topic, from 0.
    number: int


class BagMessage(NamedTuple):
    """A message of a recording."""

    topic: str
    #: For example `std_msgs/msg/String`.
    type: str
    #: When the recorder got it, in nanoseconds since 1970.
    log_time_ns: int
    #: When it was sent; the log time where that was not recorded.
    publish_time_ns: int
    #: CDR with its encapsulation header, as `rclpy.serialization` and `rosbags` read it.
    data: bytes

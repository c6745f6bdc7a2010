"""Videos for Chromium's fake camera and for uploads, made of the photographs in tests/pictures."""

import io
import math

import cv2
import numpy as np
from PIL import Image

from scenes import PICTURES

WIDTH_PX, HEIGHT_PX = 640, 480
FRAMES = 30


def _photograph(name):
    return Image.open(PICTURES / name).convert("RGB")


def _sway(index, by_px):
    return round(by_px * math.sin(2 * math.pi * index / FRAMES))


def two_people():
    """The astronaut smiles on the left, Grace Hopper looks stern on the right; both sway a little."""
    smiling = _photograph("astronaut.jpg").crop((0, 0, 512, 384)).resize((WIDTH_PX, HEIGHT_PX))
    stern = _photograph("hopper.jpg").resize((260, 305))
    for index in range(FRAMES):
        frame = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (70, 74, 80))
        frame.paste(smiling, (_sway(index, 6), 0))
        frame.paste(stern, (380 - _sway(index, 6), 175))
        yield frame


def one_person():
    """The astronaut smiles; 640x480."""
    smiling = _photograph("astronaut.jpg").resize((480, 480))
    for index in range(FRAMES):
        frame = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (70, 74, 80))
        frame.paste(smiling, (80 + _sway(index, 10), 0))
        yield frame


def write_mjpeg(path, frames):
    with open(path, "wb") as file:
        for frame in frames:
            picture = io.BytesIO()
            frame.save(picture, "JPEG", quality=92)
            file.write(picture.getvalue())


def write_webm(path, frames, frames_per_sec=15):
    """A video file that every Chromium plays (VP8)."""
    fourcc = cv2.VideoWriter.fourcc(*"VP80")
    writer = cv2.VideoWriter(str(path), fourcc, frames_per_sec, (WIDTH_PX, HEIGHT_PX))
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.asarray(frame)[:, :, ::-1])
    writer.release()

"""Pictures as a camera would give them, made of the photographs in tests/pictures."""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

PICTURES = Path(__file__).resolve().parent / "pictures"

# Around the face in astronaut_face_60px.png, as the original detector gives it
# (tests/reference/yunet.json): left, top, width, height in px.
FACE_60PX = (427, 184, 47, 55)


@cache
def _photograph(name, width_px, height_px):
    picture = Image.open(PICTURES / name).convert("RGB")
    if width_px:
        picture = picture.resize((width_px, height_px), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def photograph(name, width_px=None, height_px=None):
    """RGB pixels [height, width, 3], scaled to a size if one is given."""
    return _photograph(name, width_px, height_px).copy()


def smiling_face():
    """640x480, one smiling face about 60 px tall."""
    return photograph("astronaut_face_60px.png")


def nobody():
    """640x427, a rocket at night."""
    return photograph("rocket.jpg")


def two_people(shift_px=0, left=True, right=True):
    """640x480: the astronaut to the left, Grace Hopper to the right, moved right by some pixels."""
    scene = np.full((480, 640, 3), 90, np.uint8)
    if left:
        scene[80:400, shift_px : 270 + shift_px] = photograph("astronaut.jpg", 320, 320)[:, :270]
    if right:
        scene[80:380, 330 + shift_px : 586 + shift_px] = photograph("hopper.jpg", 256, 300)
    return scene


def grey(rgb):
    """Grey pixels [height, width] of an RGB picture (ITU-R BT.601)."""
    return np.asarray(Image.fromarray(rgb).convert("L"))


def is_the_smiling_face(face, scale=1.0):
    """Whether a FaceEmotion is about the face of `smiling_face()`, in an image scaled so."""
    expected = [side * scale for side in FACE_60PX]
    return face.label == "happy" and overlap(box(face), expected) > 0.5


def overlap(a, b):
    """Intersection over union of two boxes given as left, top, width, height."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def box(face):
    """Left, top, width and height of a FaceEmotion's roi."""
    return face.roi.x_offset, face.roi.y_offset, face.roi.width, face.roi.height

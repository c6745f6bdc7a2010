"""The scene of the demo: what a camera at a reception would see, made of free photographs.

A room 480 px tall is drawn once, wider than the picture. People are photographs cut out along an
outline with a soft edge; they walk along key positions. The camera turns sideways. Every frame is
a function of its time alone, so any frame can be made by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 640, 480
DURATION_SECS = 43.0
# The photographs and their sizes: outlines and cuts below are in their pixels.
PICTURES = {
    "astronaut.jpg": (512, 512),
    "hopper.jpg": (512, 600),
    "solvay_1927.jpg": (1666, 1136),
    "coffee.jpg": (600, 400),
    "rocket.jpg": (640, 427),
}

# Outlines in pixels of the photographs, hair and shoulders included: without them detectors miss
# faces. The last points lie on the lower edge, which always stays below the frame.
COLLINS_OUTLINE = (
    (153, 88), (154, 68), (165, 51), (180, 41), (190, 34), (195, 26), (207, 20), (222, 16),
    (238, 15), (256, 20), (272, 27), (284, 36), (294, 52), (300, 68), (301, 86), (299, 100),
    (291, 116), (281, 128), (276, 136), (268, 138), (265, 148), (259, 160), (258, 172), (271, 179),
    (286, 193), (297, 208), (303, 224), (304, 236), (334, 254), (352, 290), (361, 348), (395, 342),
    (440, 352), (476, 384), (496, 430), (503, 480), (503, 540), (20, 540), (20, 440), (25, 350),
    (45, 282), (75, 240), (114, 210), (113, 190), (123, 174), (132, 162), (148, 154), (165, 149),
    (184, 147), (182, 140), (180, 133), (172, 129), (171, 121), (164, 113), (157, 102),
)  # fmt: skip
HOPPER_OUTLINE = (
    (152, 106), (160, 92), (173, 82), (176, 71), (184, 58), (196, 47), (217, 40), (221, 30),
    (240, 25), (258, 23), (280, 27), (298, 36), (302, 42), (320, 46), (338, 57), (348, 70),
    (353, 84), (362, 87), (369, 95), (372, 110), (373, 140), (370, 165), (372, 182), (376, 195),
    (372, 215), (366, 240), (362, 258), (358, 280), (346, 300), (336, 306), (331, 312), (333, 318),
    (345, 328), (362, 340), (400, 355), (432, 366), (470, 381), (493, 402), (506, 450), (514, 520),
    (514, 630), (12, 630), (24, 500), (34, 420), (44, 390), (66, 376), (100, 364), (140, 352),
    (175, 341), (190, 331), (200, 320), (202, 308), (200, 298), (188, 292), (172, 284), (163, 276),
    (162, 262), (158, 240), (153, 215), (151, 195), (154, 182), (158, 168), (165, 152), (156, 135),
    (152, 118),
)  # fmt: skip
EDGE_PX = 1.6

# From left to right in the world: a room, the Solvay photograph as large as a wall, a room.
# Positions are in pixels; the camera sees 640 of them.
WALL_LEFT, WALL_SCALE = 760, 1.5
WALL_SOURCE = (170, 22, 1370, 342)
WALL_RIGHT = WALL_LEFT + round((WALL_SOURCE[2] - WALL_SOURCE[0]) * WALL_SCALE)
SECOND_ROOM = WALL_RIGHT + 120
WORLD_WIDTH = SECOND_ROOM + WIDTH


class SceneError(Exception):
    """A picture that is missing or cannot be read."""


@dataclass(frozen=True)
class Key:
    """Where a head is at a time: `x` in the world, size as a scale of the photograph.

    `lower_px` moves the person down from where the photograph's lower edge meets the frame's.
    """

    secs: float
    x: float
    scale: float
    lower_px: float = 0.0
    angle_deg: float = 0.0


def ease(share: float) -> float:
    """Cosine easing: 0 to 1, starting and ending at rest."""
    return 0.5 - 0.5 * math.cos(math.pi * min(max(share, 0.0), 1.0))


def between(steps: list[tuple[float, float]], secs: float) -> float:
    """The eased value at `secs` of (time, value) steps; the first and last value go on."""
    if secs <= steps[0][0]:
        return steps[0][1]
    for (start, before), (end, after) in pairwise(steps):
        if secs <= end:
            return before + (after - before) * ease((secs - start) / (end - start))
    return steps[-1][1]


def at(keys: tuple[Key, ...], secs: float) -> Key | None:
    """The eased position at `secs`, none outside the time that the keys span."""
    if not keys[0].secs <= secs < keys[-1].secs:
        return None

    def value(name: str) -> float:
        return between([(key.secs, getattr(key, name)) for key in keys], secs)

    return Key(secs, value("x"), value("scale"), value("lower_px"), value("angle_deg"))


# --- the story ------------------------------------------------------------------------------

# Collins comes in, steps nearer, smiles, makes room for Hopper, leaves.
COLLINS_FIRST = (
    Key(2.0, -260, 0.66),
    Key(4.2, 260, 0.72),
    Key(5.6, 285, 1.0),
    Key(9.4, 292, 1.0),
    Key(11.2, 160, 0.86),
    Key(13.6, 156, 0.86),
    Key(15.4, -300, 0.8),
)
# Hopper comes while Collins is there, moves to the middle, is hidden there, and leaves.
HOPPER_FIRST = (
    Key(9.6, 830, 0.48),
    Key(11.8, 470, 0.5),
    Key(14.4, 466, 0.5),
    Key(16.4, 330, 0.6),
    Key(19.2, 326, 0.6),
    Key(20.8, 830, 0.56),
)
# And returns after more than 3 s out of sight.
HOPPER_AGAIN = (Key(23.6, 830, 0.52), Key(25.2, 350, 0.58), Key(28.4, 346, 0.58))
# Collins in the second room: tilts her head by 20 degrees, stays in a dim light, leaves.
COLLINS_SECOND = (
    Key(33.0, SECOND_ROOM + 290, 1.05, 105),
    Key(35.0, SECOND_ROOM + 290, 1.05, 105),
    Key(35.7, SECOND_ROOM + 300, 1.05, 105, 20),
    Key(37.2, SECOND_ROOM + 302, 1.05, 105, 20),
    Key(37.9, SECOND_ROOM + 295, 1.05, 90, 0),
    Key(39.6, SECOND_ROOM + 292, 1.0, 40),
    Key(41.1, SECOND_ROOM + 990, 0.9),
)
# Somebody crosses close to the camera, seen from behind, and hides Hopper for half a second.
PASSER = [(17.0, -260.0), (18.9, 900.0)]
# The camera: the room, a turn to the wall, slowly along it, a turn to the second room.
CAMERA = [
    (26.2, 0.0),
    (27.6, WALL_LEFT + 20.0),
    (28.0, WALL_LEFT + 20.0),
    (33.0, WALL_RIGHT - WIDTH - 20.0),
    (33.2, WALL_RIGHT - WIDTH - 20.0),
    (34.4, float(SECOND_ROOM)),
]
LIGHT = [(37.7, 1.0), (38.1, 0.35), (39.2, 0.35), (39.6, 1.0)]


@dataclass(frozen=True)
class Walker:
    """Somebody who walks through the picture, and may stop in the middle of it."""

    who: str
    start_secs: float
    # From one edge to the other, without the stop.
    walk_secs: float
    scale: float
    to_right: bool = True
    stop_secs: float = 0.0
    # Where the stop is, in pixels of the picture.
    stop_x: float = 320.0


# Ten people pass. Collins smiles on her photograph, Hopper does not. Three of them stop: Collins
# once alone (4) and once with Hopper beside her (8 and 9), the others walk on.
WALKERS = (
    Walker("hopper", 1.0, 2.4, 0.45),
    Walker("collins", 5.0, 2.2, 0.6, to_right=False),
    Walker("hopper", 9.0, 2.6, 0.55, to_right=False),
    Walker("collins", 13.0, 3.0, 0.8, stop_secs=6.0),
    Walker("hopper", 24.0, 2.2, 0.5),
    Walker("collins", 28.0, 2.0, 0.55),
    Walker("hopper", 32.0, 2.6, 0.45, stop_secs=5.0, stop_x=300.0),
    Walker("collins", 46.0, 3.0, 0.65, stop_secs=9.0, stop_x=200.0),
    Walker("hopper", 46.2, 3.0, 0.5, to_right=False, stop_secs=8.6, stop_x=420.0),
    Walker("hopper", 61.0, 2.2, 0.55, to_right=False),
)
PASSERS_SECS = 65.0

# What is worth a picture of its own, for the contact sheet.
CHAPTERS = (
    (1.0, "an empty room"),
    (3.4, "Collins walks in"),
    (7.5, "and smiles"),
    (10.6, "Hopper comes"),
    (12.6, "two people"),
    (14.4, "Collins leaves"),
    (17.6, "somebody passes"),
    (17.95, "Hopper hidden"),
    (18.6, "and there again"),
    (20.0, "Hopper leaves"),
    (22.2, "for 3 s"),
    (25.6, "and returns"),
    (26.9, "the camera turns"),
    (28.4, "to a crowd"),
    (30.5, "slowly"),
    (32.4, "along it"),
    (34.8, "Collins again"),
    (36.5, "tilted by 20 degrees"),
    (38.6, "in a dim light"),
    (42.2, "an empty room"),
)


# --- the pictures ---------------------------------------------------------------------------


def load(folder: Path, name: str) -> Image.Image:
    path = folder / name
    try:
        picture = Image.open(path).convert("RGB")
    except FileNotFoundError:
        raise SceneError(
            f"{path}: found no such file, expected a photograph of the demo; "
            "python tools/detectors/make_pictures.py writes them"
        ) from None
    except OSError as error:
        raise SceneError(f"{path}: found {error}, expected a readable JPEG") from None
    if picture.size != PICTURES[name]:
        found, expected = ("{}x{}".format(*size) for size in (picture.size, PICTURES[name]))
        raise SceneError(f"{path}: found {found} pixels, expected {expected}")
    return picture


class CutOut:
    """A person cut out of a photograph, drawn at any size, place and tilt."""

    def __init__(self, picture: Image.Image, outline, head: tuple[float, float]) -> None:
        self.picture = picture
        self.head = head
        mask = Image.new("L", picture.size, 0)
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        # Shrunk before it is softened, so that nothing of the old background shines through.
        mask = mask.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(EDGE_PX))
        self.mask = mask

    def draw(self, frame: Image.Image, key: Key, camera_x: float) -> None:
        width, height = self.picture.size
        head_x = key.x - camera_x
        head_y = HEIGHT + 6 - (height - self.head[1]) * key.scale + key.lower_px
        if abs(key.angle_deg) > 1e-6:
            self.draw_tilted(frame, key, head_x, head_y)
            return
        left, top = head_x - self.head[0] * key.scale, head_y - self.head[1] * key.scale
        # Whole pixels of the frame; the box in the photograph keeps the fractions.
        box = (
            max(0, math.ceil(left)),
            max(0, math.ceil(top)),
            min(frame.width, math.floor(left + width * key.scale)),
            min(frame.height, math.floor(top + height * key.scale)),
        )
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        source = tuple((edge - (left, top)[i % 2]) / key.scale for i, edge in enumerate(box))
        source = (source[0], source[1], min(source[2], width), min(source[3], height))
        size = (box[2] - box[0], box[3] - box[1])
        # Pillow's bilinear resize averages over the area when it scales down.
        patch = self.picture.resize(size, Image.Resampling.BILINEAR, source)
        mask = self.mask.resize(size, Image.Resampling.BILINEAR, source)
        frame.paste(patch, box[:2], mask)

    def draw_tilted(self, frame: Image.Image, key: Key, head_x: float, head_y: float) -> None:
        cos, sin = (f(math.radians(key.angle_deg)) / key.scale for f in (math.cos, math.sin))
        back = (
            *(cos, sin, self.head[0] - cos * head_x - sin * head_y),
            *(-sin, cos, self.head[1] + sin * head_x - cos * head_y),
        )
        how = (frame.size, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)
        frame.paste(self.picture.transform(*how), (0, 0), self.mask.transform(*how))


def draw_world(photos: dict[str, Image.Image]) -> Image.Image:
    """The room, the wall and the second room, without people."""
    rows = np.arange(HEIGHT, dtype=np.float64)[:, None]
    columns = np.arange(WORLD_WIDTH, dtype=np.float64)[None, :]
    light = 1.0 + 0.05 * np.cos(columns / 230.0) - 0.10 * rows / HEIGHT
    wall = light[..., None] * np.array([206.0, 198.0, 184.0])
    floor = (0.75 + 0.25 * rows / HEIGHT + 0 * columns)[..., None] * np.array([150.0, 122.0, 96.0])
    pixels = np.where(rows[..., None] < 400, wall, floor)
    world = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(world)
    draw.rectangle((0, 388, WORLD_WIDTH, 402), fill=(232, 228, 218))

    def door(left: int) -> None:
        draw.rectangle((left, 70, left + 150, 402), fill=(168, 142, 112))
        draw.rectangle((left + 10, 80, left + 140, 402), fill=(134, 106, 80))
        draw.rectangle((left + 118, 240, left + 132, 250), fill=(206, 196, 170))

    def hang(name: str, left: int, top: int, width: int) -> None:
        photo = photos[name]
        height = round(width * photo.height / photo.width)
        draw.rectangle((left - 9, top - 9, left + width + 8, top + height + 8), fill=(70, 56, 44))
        world.paste(photo.resize((width, height), Image.Resampling.LANCZOS), (left, top))

    door(24)
    hang("rocket.jpg", 250, 60, 150)
    hang("coffee.jpg", 480, 80, 120)
    hang("coffee.jpg", SECOND_ROOM + 60, 80, 140)
    door(SECOND_ROOM + 440)
    # A little out of focus: the camera looks at the people in front.
    world = world.filter(ImageFilter.GaussianBlur(2.2))

    size = (WALL_RIGHT - WALL_LEFT, HEIGHT)
    crowd = photos["solvay_1927.jpg"].resize(size, Image.Resampling.BICUBIC, WALL_SOURCE)
    ImageDraw.Draw(world).rectangle((WALL_LEFT - 14, 0, WALL_RIGHT + 13, HEIGHT), fill=(60, 48, 38))
    world.paste(crowd, (WALL_LEFT, 0))
    return world


def draw_passer() -> tuple[Image.Image, Image.Image]:
    """Somebody in dark clothes from behind, close to the camera and so out of focus."""
    mask = Image.new("L", (420, HEIGHT), 0)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((140, -60, 280, 120), fill=255)
    draw.rounded_rectangle((45, 96, 375, HEIGHT + 120), radius=90, fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(9))
    shade = np.linspace(46, 26, HEIGHT)[:, None, None] * np.array([0.9, 0.95, 1.1])
    shade = np.broadcast_to(shade, (HEIGHT, 420, 3)).astype(np.uint8)
    return Image.fromarray(shade), mask


class Scene:
    """The whole scene; `frame` gives what the camera sees at a time."""

    duration_secs = DURATION_SECS

    def __init__(self, folder: Path) -> None:
        photos = {name: load(folder, name) for name in PICTURES}
        collins = CutOut(photos["astronaut.jpg"], COLLINS_OUTLINE, (225, 115))
        hopper = CutOut(photos["hopper.jpg"], HOPPER_OUTLINE, (265, 215))
        # The nearer person last.
        self.people = (
            (hopper, HOPPER_FIRST),
            (hopper, HOPPER_AGAIN),
            (collins, COLLINS_FIRST),
            (collins, COLLINS_SECOND),
        )
        self.world = draw_world(photos)
        self.passer = draw_passer()

    def frame(self, secs: float) -> Image.Image:
        """640x480 RGB at `secs` from 0 to DURATION_SECS."""
        # Whole pixels: a background that only shifts costs little in a compressed recording.
        camera_x = round(between(CAMERA, secs))
        frame = self.world.crop((camera_x, 0, camera_x + WIDTH, HEIGHT))
        for cut_out, keys in self.people:
            if key := at(keys, secs):
                cut_out.draw(frame, key, camera_x)
        if PASSER[0][0] < secs < PASSER[-1][0]:
            # Steady steps: no easing for somebody who only passes.
            (start, first), (end, last) = PASSER
            x = first + (last - first) * (secs - start) / (end - start)
            figure, mask = self.passer
            frame.paste(figure, (round(x) - figure.width // 2, 0), mask)
        gain = between(LIGHT, secs)
        if gain < 1.0:
            frame = frame.point([round(level * gain) for level in range(256)] * 3)
        return frame


class Passers:
    """Ten people who pass before a camera that does not move."""

    duration_secs = PASSERS_SECS

    def __init__(self, folder: Path) -> None:
        photos = {name: load(folder, name) for name in PICTURES}
        self.people = {
            "collins": CutOut(photos["astronaut.jpg"], COLLINS_OUTLINE, (225, 115)),
            "hopper": CutOut(photos["hopper.jpg"], HOPPER_OUTLINE, (265, 215)),
        }
        self.room = draw_world(photos).crop((0, 0, WIDTH, HEIGHT))

    def frame(self, secs: float) -> Image.Image:
        """640x480 RGB at `secs` from 0 to `duration_secs`."""
        frame = self.room.copy()
        for walker in WALKERS:
            if key := place(walker, secs):
                self.people[walker.who].draw(frame, key, 0.0)
        return frame


def place(walker: Walker, secs: float) -> Key | None:
    """Where a walker's head is, none outside their time: steady steps to the stop and on."""
    edges = (-300.0, WIDTH + 300.0) if walker.to_right else (WIDTH + 300.0, -300.0)
    before = walker.walk_secs * (walker.stop_x - edges[0]) / (edges[1] - edges[0])
    since = secs - walker.start_secs
    if not 0.0 <= since < walker.walk_secs + walker.stop_secs:
        return None
    walked = min(since, before) + max(0.0, since - before - walker.stop_secs)
    x = edges[0] + (edges[1] - edges[0]) * walked / walker.walk_secs
    return Key(secs, x, walker.scale)


def contact_sheet(scene: Scene, columns: int = 5) -> Image.Image:
    """Small pictures of all chapters with their times, in reading order."""
    width, height, text = 256, 192, 18
    rows = -(-len(CHAPTERS) // columns)
    sheet = Image.new("RGB", (columns * width, rows * (height + text)), (24, 24, 24))
    draw = ImageDraw.Draw(sheet)
    for index, (secs, title) in enumerate(CHAPTERS):
        left, top = index % columns * width, index // columns * (height + text)
        small = scene.frame(secs).resize((width, height), Image.Resampling.BICUBIC)
        sheet.paste(small, (left, top))
        draw.text((left + 6, top + height + 3), f"{secs:5.1f} s  {title}", fill=(230, 230, 230))
    return sheet

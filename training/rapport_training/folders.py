"""Reads the paper's layout: `train/<emotion>/*` and `validation/<emotion>/*`, JPEG or PNG."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from .errors import UserError
from .faces import DataSet, Faces
from .labels import INPUT_SIZE_PX, LABELS

TRAIN, VALIDATION = "train", "validation"
SUFFIXES = (".jpg", ".jpeg", ".png")


def _read_image(path: Path) -> np.ndarray:
    """Grey uint8 [48,48]."""
    try:
        with Image.open(path) as image:
            if image.size != (INPUT_SIZE_PX, INPUT_SIZE_PX):
                width, height = image.size
                raise UserError(
                    f"{path}: {width}x{height} px, expected {INPUT_SIZE_PX}x{INPUT_SIZE_PX}"
                )
            return np.asarray(image.convert("L"))
    except (UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: not readable as JPEG or PNG ({error})") from error
    except OSError as error:  # Pillow raises it for files cut short, too
        raise UserError(f"{path}: {error.strerror or error}") from error


def _class_folders(split: Path) -> list[Path]:
    """One folder for each label, in `LABELS` order."""
    if not split.is_dir():
        raise UserError(f"{split}: no such folder; expected {TRAIN}/<emotion>/* beside it")
    found = sorted(entry.name for entry in split.iterdir() if entry.is_dir())
    if found != sorted(LABELS):
        raise UserError(
            f"{split}: its folders are {', '.join(found) or 'none'}; "
            f"expected {', '.join(sorted(LABELS))}"
        )
    return [split / label for label in LABELS]


def _read_split(split: Path) -> Faces:
    images, labels = [], []
    for label, folder in enumerate(_class_folders(split)):
        # Sorted: the order of a folder differs from machine to machine.
        paths = sorted(path for path in folder.iterdir() if path.is_file())
        if not paths:
            raise UserError(f"{folder}: no images in it")
        for path in paths:
            if path.suffix.lower() not in SUFFIXES:
                raise UserError(f"{path}: expected a name ending in one of {', '.join(SUFFIXES)}")
            images.append(_read_image(path))
            labels.append(label)
    return Faces(np.stack(images), np.array(labels), None)


def read_folders(root: Path) -> DataSet:
    """Reads both splits. Raises `UserError` with the path of anything that is not as documented."""
    return DataSet(_read_split(root / TRAIN), _read_split(root / VALIDATION), TRAIN, VALIDATION)

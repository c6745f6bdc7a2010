"""Reads and checks the challenge's CSV (`emotion,pixels,Usage`) and the FER+ votes."""

import csv
import lzma
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from .errors import UserError
from .faces import DataSet, Faces
from .labels import FER2013_TO_LABEL, INPUT_SIZE_PX, VOTE_COLUMNS

FER2013_COLUMNS = ["emotion", "pixels", "Usage"]
# PrivateTest rows are for a last, outside score. They are read past, never returned.
USAGES = ("Training", "PublicTest", "PrivateTest")
PIXELS = INPUT_SIZE_PX * INPUT_SIZE_PX


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected a .csv or .csv.xz file")
    opener = lzma.open if path.suffix == ".xz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as file:
            yield file
    except (UnicodeDecodeError, lzma.LZMAError, EOFError, csv.Error) as error:
        raise UserError(f"{path}: not readable as CSV text ({error})") from error
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from error


def _rows(path: Path, file: TextIO, columns: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yields (line number, row) after checking the header and each row's width."""
    reader = csv.reader(file)
    header = next(reader, None)
    if header != columns:
        found = ",".join(header)[:80] if header else "an empty file"
        raise UserError(f"{path}: line 1: found `{found}`, expected `{','.join(columns)}`")
    for row in reader:
        if len(row) != len(columns):
            raise UserError(
                f"{path}: line {reader.line_num}: {len(row)} fields, expected {len(columns)}"
            )
        yield reader.line_num, row


def _parse_pixels(where: str, text: str) -> np.ndarray:
    try:
        values = np.array(text.split(), dtype=np.int16)
    except (ValueError, OverflowError) as error:
        raise UserError(f"{where}: pixels are not whole numbers 0..255 ({error})") from error
    if values.size != PIXELS:
        raise UserError(
            f"{where}: {values.size} pixels, expected {PIXELS} ({INPUT_SIZE_PX}x{INPUT_SIZE_PX})"
        )
    if values.min() < 0 or values.max() > 255:
        raise UserError(
            f"{where}: pixels reach {values.min()}..{values.max()}, expected values in 0..255"
        )
    return values.astype(np.uint8).reshape(INPUT_SIZE_PX, INPUT_SIZE_PX)


def _read_votes(path: Path) -> tuple[list[str], np.ndarray]:
    """Usages [N] and votes float32 [N,10], in file order."""
    columns = ["row", "Usage", *VOTE_COLUMNS]
    usages, votes = [], []
    with _open_text(path) as file:
        for line, row in _rows(path, file, columns):
            try:
                values = [float(value) for value in row[2:]]
            except ValueError as error:
                raise UserError(f"{path}: line {line}: a vote is no number ({error})") from error
            if not all(0 <= value < math.inf for value in values):
                raise UserError(f"{path}: line {line}: votes are {values}, expected numbers from 0")
            votes.append(values)
            usages.append(row[1])
    return usages, np.array(votes, dtype=np.float32).reshape(-1, len(VOTE_COLUMNS))


def read_fer2013(csv_path: Path, votes_path: Path | None = None) -> DataSet:
    """Reads the challenge's CSV, plain or `.xz`, and optionally the votes of the same rows.

    Raises `UserError` with file and line for anything that is not as documented.
    """
    images, labels, usages = [], [], []
    with _open_text(csv_path) as file:
        for line, (emotion, pixels, usage) in _rows(csv_path, file, FER2013_COLUMNS):
            where = f"{csv_path}: line {line}"
            if emotion not in {"0", "1", "2", "3", "4", "5", "6"}:
                raise UserError(f"{where}: emotion is `{emotion[:20]}`, expected 0 to 6")
            if usage not in USAGES:
                raise UserError(f"{where}: Usage is `{usage[:20]}`, expected one of {USAGES}")
            images.append(_parse_pixels(where, pixels))
            labels.append(FER2013_TO_LABEL[int(emotion)])
            usages.append(usage)
    if not images:
        raise UserError(f"{csv_path}: no rows after the header")

    votes = None
    if votes_path is not None:
        vote_usages, votes = _read_votes(votes_path)
        if vote_usages != usages:
            raise UserError(
                f"{votes_path}: {len(vote_usages)} rows, expected the {len(usages)} rows of "
                f"{csv_path} with the same Usage in the same order"
            )

    everything, all_usages = Faces(np.stack(images), np.array(labels), votes), np.array(usages)

    def part(usage: str) -> Faces:
        rows = all_usages == usage
        if not rows.any():
            raise UserError(f"{csv_path}: no {usage} rows; they are needed")
        return everything.part(rows)

    return DataSet(part("Training"), part("PublicTest"), "FER2013 Training", "FER2013 PublicTest")

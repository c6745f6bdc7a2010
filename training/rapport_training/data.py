"""Reads and checks FER2013 (`emotion,pixels,Usage`) and the FER+ votes.

`python -m rapport_training.data --fer2013 FILE [--votes FILE]` prints the counts.
"""

import argparse
import csv
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from .errors import UserError, run_step
from .labels import FER2013_TO_LABEL, INPUT_SIZE_PX, LABELS, VOTE_COLUMNS

FER2013_COLUMNS = ["emotion", "pixels", "Usage"]
# PrivateTest rows are for a last, outside score. They are read past, never returned.
USAGES = ("Training", "PublicTest", "PrivateTest")
PIXELS = INPUT_SIZE_PX * INPUT_SIZE_PX


@dataclass(frozen=True)
class Faces:
    """Images uint8 [N,48,48], labels int64 [N] in `LABELS` order, votes float32 [N,10]."""

    images: np.ndarray
    labels: np.ndarray
    votes: np.ndarray | None

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> list[int]:
        """Images per class, in `LABELS` order."""
        return np.bincount(self.labels, minlength=len(LABELS)).tolist()


@dataclass(frozen=True)
class Fer2013:
    """Training trains; PublicTest chooses."""

    training: Faces
    public_test: Faces

    def public_test_twins(self) -> np.ndarray:
        """Bool [N]: which PublicTest images equal a Training image pixel for pixel."""
        seen = {image.tobytes() for image in self.training.images}
        return np.array([image.tobytes() in seen for image in self.public_test.images], dtype=bool)


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected a .csv or .csv.xz file")
    opener = lzma.open if path.suffix == ".xz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as file:
            yield file
    except (UnicodeDecodeError, lzma.LZMAError, EOFError) as error:
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
                votes.append([float(value) for value in row[2:]])
            except ValueError as error:
                raise UserError(f"{path}: line {line}: a vote is no number ({error})") from error
            usages.append(row[1])
    return usages, np.array(votes, dtype=np.float32).reshape(-1, len(VOTE_COLUMNS))


def read_fer2013(csv_path: Path, votes_path: Path | None = None) -> Fer2013:
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

    all_images, all_labels, all_usages = np.stack(images), np.array(labels), np.array(usages)

    def part(usage: str) -> Faces:
        rows = all_usages == usage
        if not rows.any():
            raise UserError(f"{csv_path}: no {usage} rows; they are needed")
        return Faces(all_images[rows], all_labels[rows], None if votes is None else votes[rows])

    return Fer2013(part("Training"), part("PublicTest"))


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--fer2013` and `--votes`, spelt alike in every step."""
    parser.add_argument("--fer2013", type=Path, required=True, help="fer2013.csv or fer2013.csv.xz")
    parser.add_argument(
        "--votes", type=Path, help="the FER+ votes of the same rows (row,Usage,neutral,...,NF)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Check the data and print its counts.")
    add_data_arguments(parser)
    args = parser.parse_args()
    data = read_fer2013(args.fer2013, args.votes)

    training, public_test = data.training.counts(), data.public_test.counts()
    print(f"{'class':<10}{'Training':>10}{'PublicTest':>12}")
    for name, train_count, test_count in zip(LABELS, training, public_test, strict=True):
        print(f"{name:<10}{train_count:>10}{test_count:>12}")
    print(f"{'all':<10}{len(data.training):>10}{len(data.public_test):>12}")
    print(f"PublicTest images identical to a Training image: {data.public_test_twins().sum()}")
    print(f"votes: {'none given' if args.votes is None else 'read, one row an image'}")


if __name__ == "__main__":
    run_step(main)

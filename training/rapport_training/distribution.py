"""Draws how many images each class has, one bar chart for each part of the data."""

import argparse
from pathlib import Path

from .data import add_data_arguments, read_data
from .errors import run_step
from .figures import distribution


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder for the SVG files")
    args = parser.parse_args()
    data = read_data(args)
    training, validation = data.training.counts(), data.validation.counts()
    together = [a + b for a, b in zip(training, validation, strict=True)]
    for name, counts in (
        (data.training_name, training),
        (data.validation_name, validation),
        ("all", together),
    ):
        path = args.output / f"{name.split()[-1].lower()}.svg"
        distribution(counts, name, path)
        print(f"{path}: {sum(counts)} images")


if __name__ == "__main__":
    run_step(main)

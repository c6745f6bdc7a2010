"""Write tests/pictures from photographs that arrive in pinned packages and that are free to use.

Who took each picture, and why it may be shared, stands in tests/pictures/README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from wheels import REPOSITORY, DetectorError, add_arguments, find_wheel, read_member, run

CRATE, CRATE_VERSION = "rustface", "0.1.7"
SAMPLES = "skimage/data"

# The frame of the 60 px face: the camera's size, and the astronaut scaled down so far that the
# box around her face is 60 px tall.
FRAME_SIZE = (640, 480)
SMALL_SIZE = (274, 274)
SMALL_CORNER = (331, 147)
# Three rows of people; the width is no multiple of 32, so the padding is tested as well.
ROWS_BOX = (560, 60, 1060, 360)


def read_crate(member: str) -> bytes:
    """Return one file of the crate, which cargo fetches, and checks, as it does any dependency."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = f"""[package]
name = "pictures"
version = "0.0.0"
edition = "2021"
[dependencies]
{CRATE} = "={CRATE_VERSION}"
"""
        (Path(folder) / "Cargo.toml").write_text(manifest)
        (Path(folder) / "src").mkdir()
        (Path(folder) / "src" / "lib.rs").touch()
        done = subprocess.run(
            ["cargo", "vendor", "--quiet", "vendor"], cwd=folder, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise DetectorError(
                f"cargo did not fetch {CRATE} {CRATE_VERSION}: {done.stderr.strip()}"
            )
        return (Path(folder) / "vendor" / CRATE / member).read_bytes()


def decode(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def erase_red(picture: Image.Image) -> Image.Image:
    """Return the grey photograph without the red frames that the crate's own demo drew on it.

    The frames are lines of pure red, 1 px wide; each such pixel becomes the mean of the pixels
    beside it that are not red.
    """
    pixels = np.asarray(picture).astype(np.int64)
    red = (pixels == (255, 0, 0)).all(axis=2)
    if (pixels[~red] != pixels[~red][:, :1]).any():
        raise DetectorError("test.png of rustface: found colours beside pure red, expected grey")
    grey = np.where(red, 0, pixels[..., 0])
    sums, counts = np.zeros_like(grey), np.zeros_like(grey)
    padded, known = np.pad(grey, 1), np.pad(~red, 1)
    height, width = grey.shape
    for top in range(3):
        for left in range(3):
            sums += padded[top : top + height, left : left + width]
            counts += known[top : top + height, left : left + width]
    grey[red] = (sums[red] / counts[red]).round()
    return Image.fromarray(grey.astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "tests" / "pictures")
    arguments = parser.parse_args()
    samples = find_wheel("scikit-image", arguments.wheels)
    plots = find_wheel("matplotlib", arguments.wheels)
    arguments.output.mkdir(parents=True, exist_ok=True)

    def jpeg(name: str, picture: Image.Image, quality: int) -> None:
        picture.save(arguments.output / name, "JPEG", quality=quality, optimize=True)

    def png(name: str, picture: Image.Image) -> None:
        picture.save(arguments.output / name, "PNG", optimize=True)

    astronaut = decode(read_member(samples, f"{SAMPLES}/astronaut.png"))
    jpeg("astronaut.jpg", astronaut, 92)
    for name in ("coffee.png", "chelsea.png", "rocket.jpg"):
        picture = decode(read_member(samples, f"{SAMPLES}/{name}"))
        jpeg(f"{Path(name).stem}.jpg", picture, 85)
    # Already a JPEG of modest size: kept to the byte.
    hopper = read_member(plots, "matplotlib/mpl-data/sample_data/grace_hopper.jpg")
    (arguments.output / "hopper.jpg").write_bytes(hopper)
    solvay = erase_red(decode(read_crate("test.png")))
    jpeg("solvay_1927.jpg", solvay, 85)

    # Lossless, for the strict comparison with the original detector.
    frame = Image.new("RGB", FRAME_SIZE)
    frame.paste(astronaut.resize(SMALL_SIZE, Image.Resampling.LANCZOS), SMALL_CORNER)
    png("astronaut_face_60px.png", frame)
    png("solvay_rows.png", solvay.crop(ROWS_BOX))
    png("hopper_small.png", decode(hopper).resize((256, 300), Image.Resampling.LANCZOS))

    for path in sorted(arguments.output.glob("*.[jp][pn]g")):
        content = path.read_bytes()
        size = Image.open(io.BytesIO(content)).size
        print(f"{hashlib.sha256(content).hexdigest()}  {len(content):7}  {size}  {path.name}")


if __name__ == "__main__":
    run(main)

"""Where eyes, nose and mouth corners lie in a FER2013 image.

A camera crop must look to the network as its training images did. So the crop aligns a
face by a similarity transform onto the mean landmarks that this step measures: O-Net over
the Training images, those kept that it holds for a face.
"""

import argparse
from pathlib import Path

import numpy as np

from .data import add_data_arguments, read_data
from .errors import UserError, run_step
from .labels import INPUT_SIZE_PX
from .session import one_thread_session

# Left and right as seen in the image.
LANDMARKS = ("left eye", "right eye", "nose", "left mouth corner", "right mouth corner")
BATCH = 256


class ONet:
    """`models/onet.onnx`: 48x48 RGB 0..255 in, face probability and five landmarks out."""

    def __init__(self, path: Path) -> None:
        self._session = one_thread_session(path)
        found = (
            [value.name for value in self._session.get_inputs()],
            sorted(value.name for value in self._session.get_outputs()),
        )
        expected = (["crops"], ["box", "landmarks", "probability"])
        if found != expected:
            raise UserError(
                f"{path}: inputs and outputs are {found}, expected {expected} (models/onet.onnx)"
            )

    def __call__(self, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Grey uint8 [N,48,48] to face probability [N] and landmarks [N,5,2] (x, y) in px."""
        rgb = np.repeat(grey.astype(np.float32)[:, None], 3, axis=1)
        probability, points = self._session.run(["probability", "landmarks"], {"crops": rgb})
        points = points.reshape(-1, 2, 5).transpose(0, 2, 1) * INPUT_SIZE_PX
        return probability[:, 0], points


def similarity_residuals(points: np.ndarray, template: np.ndarray) -> tuple[np.ndarray, ...]:
    """Least-squares similarity of each face onto the template (Umeyama 1991, no reflection).

    Returns scale [N] (template over face), roll in degrees [N], and the root mean square
    distance in px [N] that is left after alignment.
    """
    # In the plane a similarity is one complex factor, so the fit is a complex regression.
    face = points[..., 0] + 1j * points[..., 1]
    goal = template[:, 0] + 1j * template[:, 1]
    face = face - face.mean(axis=1, keepdims=True)
    goal = goal - goal.mean()
    factor = (face.conj() * goal).sum(axis=1) / (np.abs(face) ** 2).sum(axis=1)
    left = np.abs(factor[:, None] * face - goal)
    return np.abs(factor), np.degrees(np.angle(factor)), np.sqrt((left**2).mean(axis=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--onet", type=Path, required=True, help="O-Net as ONNX")
    parser.add_argument("--min-probability", type=float, default=0.95, help="default 0.95")
    args = parser.parse_args()
    onet = ONet(args.onet)
    images = read_data(args).training.images

    answers = [onet(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    probability = np.concatenate([answer[0] for answer in answers])
    points = np.concatenate([answer[1] for answer in answers])
    kept = points[probability > args.min_probability]
    if len(kept) < 2:
        raise UserError(
            f"{args.onet}: {len(kept)} of {len(points)} images pass {args.min_probability}; "
            "expected most of them (is this O-Net?)"
        )

    mean, spread = kept.mean(axis=0), kept.std(axis=0)
    print(f"{len(kept)} of {len(points)} Training images, O-Net > {args.min_probability}")
    print(f"{'landmark':<20}{'x':>7}{'y':>7}{'sd x':>7}{'sd y':>7}   px of {INPUT_SIZE_PX}x48")
    for name, (x, y), (sd_x, sd_y) in zip(LANDMARKS, mean, spread, strict=True):
        print(f"{name:<20}{x:>7.2f}{y:>7.2f}{sd_x:>7.2f}{sd_y:>7.2f}")

    scale, roll, residual = similarity_residuals(kept, mean)
    centre = kept.mean(axis=1)
    print(f"centre of the five: sd x {centre[:, 0].std():.2f}, sd y {centre[:, 1].std():.2f} px")
    print(f"scale onto the template: sd of its logarithm {np.log(scale).std():.3f}")
    print(f"roll onto the template: sd {roll.std():.1f} degrees")
    print(f"left after alignment: median {np.median(residual):.2f} px rms")


if __name__ == "__main__":
    run_step(main)

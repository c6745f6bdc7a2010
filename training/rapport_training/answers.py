"""A table of what a model answers on PublicTest and its harder versions, beside what people said.

Tests of calibration, of adaptation and of the estimate of accuracy need the truth, and the images
may not enter the repository. So this table has no pixel: for each image that counts by FER+'s
protocol its votes, and for each version the model's probabilities on the crop that the robot would
cut, and the brightness and blur of the face before its exposure is brought to normal.

CSV packed by xz, a row for each image: `image` (row of PublicTest), the ten votes, then for each
version `NAME:LABEL`, which is -16 ln p as a whole number, and `NAME:brightness` and `NAME:blur` in
hundredths. Read back, a row's probabilities are to be divided by their sum.
"""

import argparse
import csv
import io
import lzma
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from .data import add_data_arguments, read_data
from .errors import UserError, run_step
from .faces import Faces
from .ferplus import ferplus
from .files import whole
from .labels import VOTE_COLUMNS
from .landmark_template import ONet
from .robustness import HARDSHIPS, SEED, find
from .session import EmotionSession

# Short names, which the tests use, for some of `robustness.HARDSHIPS`.
VERSIONS = {
    "plain": "as they are",
    "dim": "dim: a tenth of the light, noise 2",
    "glare": "glare: twice the light, clipped",
    "side": "light from one side, 1 to 1/5",
    "noise": "noise, deviation 20 grey levels",
    "blur": "blur, sigma 2 px",
    "small": "face of 24 px",
    "tilt": "tilt 30 degrees",
    "yaw": "yaw 30 degrees",
}
# Steps of a probability's logarithm to the nat: 3 % of its value; hundreds of images average out.
STEPS = 16
LEAST_PROBABILITY = 1e-6


def blur_of(faces: torch.Tensor) -> torch.Tensor:
    """How blurred grey faces [N,1,H,W] in 0..255 are, [N]: 0 (sharp) to 1, by their Laplacian."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    edges = functional.conv2d(faces, kernel[None, None]).std(dim=(1, 2, 3))
    contrast = faces.std(dim=(1, 2, 3)).clamp(min=1)
    return 1 / (1 + 2 * edges / contrast)


def table(session: EmotionSession, onet: ONet, data: Faces) -> str:
    """The table as CSV."""
    if data.votes is None:
        raise UserError("the table needs what people say: give --votes")
    seen = ferplus(data.votes)
    faces = torch.from_numpy(data.images).float()[:, None][seen.rows]
    header = ["image", *VOTE_COLUMNS]
    columns = [seen.rows[:, None], seen.votes.astype(int)]
    for name, hardship in VERSIONS.items():
        hard = HARDSHIPS[hardship](faces, torch.Generator().manual_seed(SEED))
        probabilities, _ = session.run_all(find(onet, hard).cut(1.0, True).numpy()[:, 0])
        brightness = hard.mean(dim=(1, 2, 3)).numpy() / 255
        header += [f"{name}:{label}" for label in session.labels]
        header += [f"{name}:brightness", f"{name}:blur"]
        logs = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
        columns.append(np.rint(-STEPS * logs).astype(int))
        pair = np.stack([brightness, blur_of(hard).numpy()], axis=1)
        columns.append(np.rint(pair * 100).astype(int))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(np.concatenate(columns, axis=1).tolist())
    return text.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="an emotion model as ONNX")
    parser.add_argument("--onet", type=Path, required=True, help="O-Net as ONNX")
    parser.add_argument("--output", type=Path, required=True, help="the table, .csv.xz")
    args = parser.parse_args()
    torch.set_num_threads(1)
    session, onet = EmotionSession(args.model), ONet(args.onet)
    text = table(session, onet, read_data(args).validation)
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    with whole(args.output) as part:
        part.write_bytes(packed)
    print(f"{args.output}: {text.count(chr(10)) - 1} images, {len(packed) / 1000:.0f} kB")


if __name__ == "__main__":
    run_step(main)

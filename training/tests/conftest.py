"""Synthetic faces, made in memory: no image of the data set is needed or kept."""

import numpy as np
import pytest
import torch

from rapport_training.labels import INPUT_SIZE_PX, LABELS, VOTE_COLUMNS
from rapport_training.network import EmotionNetwork, NetworkShape


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Grey uint8 [64,48,48]: gratings of another angle and period each, with noise."""
    generator = np.random.default_rng(7)
    y, x = np.mgrid[:INPUT_SIZE_PX, :INPUT_SIZE_PX]
    faces = []
    for angle, period in zip(
        generator.uniform(0, np.pi, 64), generator.uniform(6, 30, 64), strict=True
    ):
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
        faces.append(128 + 80 * wave + generator.normal(0, 8, wave.shape))
    return np.clip(np.stack(faces), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def network() -> EmotionNetwork:
    """A small network whose norms have seen data, so that folding them is put to the test."""
    torch.manual_seed(3)
    network = EmotionNetwork(NetworkShape((16, 32), (1, 2), (1, 2)))
    for name, parameter in network.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    network.train()
    for _ in range(3):
        network(torch.rand(16, 1, INPUT_SIZE_PX, INPUT_SIZE_PX) * 255)
    return network.eval()


@pytest.fixture(scope="session")
def fer2013_csv(tmp_path_factory: pytest.TempPathFactory, images: np.ndarray):
    """The same images as a FER2013 CSV and its votes; the last PublicTest row is a duplicate."""
    folder = tmp_path_factory.mktemp("fer2013")
    rows, votes = ["emotion,pixels,Usage"], ["row,Usage," + ",".join(VOTE_COLUMNS)]
    generator = np.random.default_rng(5)
    for index, image in enumerate(images):
        usage = "Training" if index < 48 else "PublicTest"
        pixels = images[0] if index == 63 else image
        rows.append(f"{index % len(LABELS)},{' '.join(map(str, pixels.ravel()))},{usage}")
        counts = generator.multinomial(10, [0.1] * len(VOTE_COLUMNS))
        votes.append(f"{index},{usage}," + ",".join(map(str, counts)))
    (folder / "fer2013.csv").write_text("\n".join(rows) + "\n")
    (folder / "votes.csv").write_text("\n".join(votes) + "\n")
    return folder / "fer2013.csv", folder / "votes.csv"

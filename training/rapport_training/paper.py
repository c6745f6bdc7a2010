"""The paper, repeated: a plain CNN on at most 300 images a class.

Its protocol: pixels / 255, labels encoded and one-hot, four 3x3 convolutions on 48x48x1 with
max-pooling, dropout, flatten, dense, softmax. Where it is silent, `PaperRecipe` says what was
chosen. One command trains, exports and scores.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from .contract import fixed_metadata
from .data import add_data_arguments, read_data
from .deploy import to_onnx
from .device import add_device_argument, pick_device
from .errors import run_step
from .export import VERIFY_IMAGES, some_images, verify_against_torch, write_model
from .faces import Faces
from .labels import INPUT_SIZE_PX, LABELS

NOTES = (
    "The seed paper's network, repeated for comparison; not the one to use. Reports the "
    "expression shown, never the emotion felt. saliency: Grad-CAM of each class's logit on the "
    "maps of the last convolution, before Grad-CAM's own ReLU, times the maps' area. Not "
    "calibrated."
)


@dataclass(frozen=True)
class PaperRecipe:
    """The paper gives the images a class and the layers; the rest was chosen here."""

    images_a_class: int = 300
    filters: tuple[int, ...] = (32, 64, 128, 128)
    dense: int = 256
    dropout: float = 0.25  # after each pooling
    dense_dropout: float = 0.5
    epochs: int = 60
    batch: int = 32
    learning_rate: float = 1e-3  # Adam
    seed: int = 1


class PaperNetwork(nn.Module):
    """Grey faces [N,1,48,48] in 0..255 to logits [N,7] in `LABELS` order."""

    def __init__(self, recipe: PaperRecipe) -> None:
        super().__init__()
        widths = (1, *recipe.filters)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths)
        )
        self.dropout = nn.Dropout(recipe.dropout)
        pooled_side = INPUT_SIZE_PX >> len(recipe.filters)
        self.dense = nn.Linear(recipe.filters[-1] * pooled_side**2, recipe.dense)
        self.dense_dropout = nn.Dropout(recipe.dense_dropout)
        self.classifier = nn.Linear(recipe.dense, len(LABELS))

    def features(self, faces: torch.Tensor) -> torch.Tensor:
        """The maps of the last convolution, before its pooling, all >= 0."""
        x = faces / 255
        for index, convolution in enumerate(self.convolutions):
            if index > 0:
                x = self.dropout(functional.max_pool2d(x, 2))
            x = functional.relu(convolution(x))
        return x

    def hidden(self, features: torch.Tensor) -> torch.Tensor:
        """The dense layer [N,dense], all >= 0."""
        pooled = self.dropout(functional.max_pool2d(features, 2))
        return functional.relu(self.dense(pooled.flatten(1)))

    def head(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [N,7] from the maps of the last convolution."""
        return self.classifier(self.dense_dropout(self.hidden(features)))

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(faces))


class PaperDeployed(nn.Module):
    """Faces [N,1,48,48] to (probabilities [N,7], saliency [N,7,6,6]).

    Grad-CAM without autograd: between the maps and a logit lie max-pooling, a dense layer with
    ReLU, and the classifier. Pooling hands its gradient to one cell of four, so the mean gradient
    over a map is the sum over the pooled cells by the map's area; the ReLU lets through the units
    that are on. So the weights of the maps are (classifier * on) @ (dense summed over cells) /
    area, exact for every face.
    """

    def __init__(self, network: PaperNetwork) -> None:
        super().__init__()
        self.network = network.eval()
        self.maps = network.convolutions[-1].out_channels
        weight = network.dense.weight.detach()
        self.register_buffer("dense_by_map", weight.reshape(len(weight), self.maps, -1).sum(dim=2))
        self.side = INPUT_SIZE_PX >> (len(network.convolutions) - 1)

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.network.features(faces)
        hidden = self.network.hidden(features)
        logits = self.network.classifier(hidden)
        on = (hidden > 0).to(hidden.dtype)
        # [N,7,dense] @ [dense,maps]: the weights of the maps, times the area.
        weights = (self.network.classifier.weight * on[:, None]) @ self.dense_by_map
        saliency = weights @ features.reshape(-1, self.maps, self.side**2)
        saliency = saliency.reshape(-1, len(LABELS), self.side, self.side)
        return torch.softmax(logits, dim=1), saliency


def pick_rows(labels: np.ndarray, images_a_class: int, seed: int) -> np.ndarray:
    """At most so many random rows of each class, in order."""
    generator = np.random.default_rng(seed)
    rows = [
        generator.permutation(np.flatnonzero(labels == label))[:images_a_class]
        for label in range(len(LABELS))
    ]
    return np.sort(np.concatenate(rows))


def train(faces: Faces, recipe: PaperRecipe, device: torch.device) -> PaperNetwork:
    """Trains on all the faces given, without augmentation."""
    torch.manual_seed(recipe.seed)
    network = PaperNetwork(recipe).to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), recipe.learning_rate)
    images = torch.from_numpy(faces.images)[:, None].to(device)
    one_hot = functional.one_hot(torch.from_numpy(faces.labels), len(LABELS)).float().to(device)
    for _ in tqdm(range(recipe.epochs), disable=None, unit="epoch"):
        for rows in torch.randperm(len(images)).to(device).split(recipe.batch):
            loss = functional.cross_entropy(network(images[rows].float()), one_hot[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return network.eval().cpu()


def main() -> None:
    defaults = PaperRecipe()
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="the ONNX file to write")
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    add_device_argument(parser)
    parser.add_argument("--threads", type=int, default=1, help="torch threads, default 1")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = read_data(args)
    recipe = PaperRecipe(epochs=args.epochs, seed=args.seed)
    rows = pick_rows(data.training.labels, recipe.images_a_class, recipe.seed)
    faces = data.training.part(rows)
    counts = ", ".join(f"{n} {c}" for n, c in zip(LABELS, faces.counts(), strict=True))
    print(f"{len(faces)} of {len(data.training)} images: {counts}")
    network = train(faces, recipe, pick_device(args.device))

    deployed = PaperDeployed(network)
    model = to_onnx(deployed)
    images = some_images(data.validation, VERIFY_IMAGES)
    verify_against_torch(model, deployed, network, images)
    metadata = fixed_metadata() | {
        "data": f"{data.training_name}, at most {recipe.images_a_class} images a class",
        "recipe": json.dumps(asdict(recipe)),
        "notes": NOTES,
    }
    write_model(model, args.output, metadata, data)


if __name__ == "__main__":
    run_step(main)

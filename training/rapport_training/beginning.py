"""What a run begins from, where it does not begin from chance: weights from elsewhere, or a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from . import checkpoint
from .errors import UserError
from .exported import fill_from, read_exported
from .labels import INPUT_SIZE_PX, KNOWN_LABELS, LABELS
from .network import SHAPES, EmotionNetwork, NetworkShape
from .pretrained import SOURCES, Source, Weights, begin_from, read_weights
from .weights import SUFFIX
from .weights import read_weights as read_kept

# Share of the schedule from which on, and side of the training images in px.
Sides = tuple[tuple[float, int], ...]
# Progressive resizing: small images while the learning rate is high, where a step costs less and
# details matter least.
SIDES_PX: Sides = ((0.0, 32), (0.45, 40), (0.7, INPUT_SIZE_PX))
# Weights of an earlier run know our faces at all these sizes, where it saw small ones at all.
CONTINUED_SIDES_PX: Sides = ((0.0, 32), (0.3, INPUT_SIZE_PX))
# Faces that set the norms over weights to begin from.
PRETRAINED_FACES = 512
# What a run keeps on record of the one that it began from.
HISTORY = ("epochs_done", "steps_done", "recipe", "votes_used", "taught", "fold", "earlier")


@dataclass(frozen=True)
class FromChance:
    """Weights as the network's own start draws them."""

    pretrained = False
    earlier = None
    sides_px = SIDES_PX

    def fill(self, network: EmotionNetwork, images: torch.Tensor) -> None:
        """Leaves the network as it is."""


@dataclass(frozen=True)
class FromSource:
    """Weights of a network that has learnt faces."""

    source: Source
    weights: Weights
    pretrained = True
    earlier = None

    @property
    def sides_px(self) -> Sides:
        """What the source's own record says."""
        return self.source.sides_px

    def fill(self, network: EmotionNetwork, images: torch.Tensor) -> None:
        """Puts the weights in; the first `images` [N,1,H,W] set the norms."""
        begin_from(network, self.weights, self.source, images[:PRETRAINED_FACES].float())


@dataclass(frozen=True)
class FromRun:
    """The averaged weights of an earlier run of the same shape."""

    content: dict[str, Any]

    @property
    def pretrained(self) -> bool:
        """Whether that run, or the first one before it, began from a source."""
        return self.content.get("pretrained", False)

    @property
    def earlier(self) -> dict[str, Any]:
        """What stays on record of it."""
        return {key: self.content.get(key) for key in HISTORY}

    @property
    def sides_px(self) -> Sides:
        """At full size throughout if it was."""
        sides = self.content.get("sides_px", SIDES_PX)
        return CONTINUED_SIDES_PX if len(sides) > 1 else sides

    def fill(self, network: EmotionNetwork, images: torch.Tensor) -> None:
        """Puts its averaged weights in."""
        found = list(self.content.get("labels", LABELS))
        if len(found) != network.classifier.out_features:
            raise UserError(
                f"--begin: that run has the labels {', '.join(found)}; "
                "expected those of --targets here"
            )
        network.load_state_dict(self.content["averaged"])


@dataclass(frozen=True)
class FromModel:
    """An exported model of the same shape."""

    path: Path
    pretrained = True
    sides_px = ((0.0, INPUT_SIZE_PX),)

    @property
    def earlier(self) -> dict[str, Any]:
        """What stays on record of it."""
        return {"model": self.path.name}

    def fill(self, network: EmotionNetwork, images: torch.Tensor) -> None:
        """Puts its weights in, as floats; the first `images` set the norms."""
        labels = LABELS if network.classifier.out_features == len(LABELS) else KNOWN_LABELS
        fill_from(network, read_exported(self.path), labels, images[:PRETRAINED_FACES].float())


Beginning = FromChance | FromSource | FromRun | FromModel


def read_beginning(
    folder: Path, run: Path, network: str, fold: list[int] | None
) -> FromSource | FromRun | FromModel:
    """What the folder or file holds, to begin `run` from with a network of this name in `SHAPES`.

    Raises `UserError` where it does not fit, or has seen rows of the fold that is to be left out.
    """
    if folder.resolve() == run.resolve():
        raise UserError(f"--begin and --run are both {run}, expected two folders")
    if folder.suffix == ".onnx":
        return FromModel(folder)
    earlier = read_kept(folder) if folder.suffix == SUFFIX else checkpoint.load(folder)
    if earlier is None:
        source = next((source for source in SOURCES.values() if network in source.shapes), None)
        if source is None:
            fit = [name for source in SOURCES.values() for name in source.shapes]
            raise UserError(
                f"--begin {folder} with --network {network}: it holds no checkpoint, "
                f"and other weights fit --network {' or '.join(fit)} only"
            )
        return FromSource(source, read_weights(folder, source))
    if NetworkShape(**earlier["shape"]) != SHAPES[network]:
        raise UserError(
            f"--begin {folder}: its checkpoint has shape {earlier['shape']}, "
            f"expected {SHAPES[network]} for --network {network}"
        )
    if fold is not None and earlier.get("fold") != fold:
        raise UserError(
            f"--begin {folder} with --fold {fold[0]}/{fold[1]}: that run has seen rows of this fold"
        )
    return FromRun(earlier)

"""Checkpoints: written whole or not at all, read with a clear error."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from .errors import UserError
from .files import whole
from .labels import LABELS
from .network import EmotionNetwork, NetworkShape

FILE_NAME = "checkpoint.pt"
NEEDED = (
    "network",
    "averaged",
    "optimizer",
    "epochs_done",
    "steps_done",
    "train_secs",
    "recipe",
    "augmentation",
    "votes_used",
    "shape",
)


def save(folder: Path, content: dict[str, Any], shape: NetworkShape) -> None:
    """Writes `content` and the network's shape to the folder's checkpoint."""
    with whole(folder / FILE_NAME) as part:
        torch.save({**content, "shape": asdict(shape)}, part)


def load(folder: Path) -> dict[str, Any] | None:
    """The folder's checkpoint, or None where there is none yet."""
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle and key errors alike: the file is no checkpoint
        raise UserError(f"{path}: not a checkpoint of this project ({error})") from error
    lacks = [key for key in NEEDED if not isinstance(content, dict) or key not in content]
    if lacks:
        raise UserError(f"{path}: not a checkpoint of this project (without {', '.join(lacks)})")
    return content


def load_network(folder: Path) -> tuple[EmotionNetwork, dict[str, Any]]:
    """The averaged network in evaluation mode, and the checkpoint it came from."""
    content = load(folder)
    if content is None:
        raise UserError(f"{folder / FILE_NAME}: no such file; run the train step first")
    classes = len(content.get("labels", LABELS))
    network = EmotionNetwork(NetworkShape(**content["shape"]), classes)
    network.load_state_dict(content["averaged"])
    return network.eval(), content

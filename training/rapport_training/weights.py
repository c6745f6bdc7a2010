"""Weights as the repository keeps them: float16 safetensors, with the recipe in the header.

Norms stay in float32: their variances can be too small for half precision. A file holds what
`--begin` and `export --weights` need, and nothing of the images.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from . import checkpoint
from .errors import UserError, run_step
from .files import whole
from .labels import LABELS
from .network import EmotionNetwork, NetworkShape

SUFFIX = ".safetensors"
KEY = "rapport"
LEFT_OUT = ("network", "averaged", "optimizer")


def write_weights(path: Path, content: dict[str, Any]) -> None:
    """Keeps the averaged weights of a checkpoint, and its record."""
    weights = {
        name: (value.half() if value.ndim > 1 else value.clone()).contiguous()
        for name, value in content["averaged"].items()
    }
    record = {key: value for key, value in content.items() if key not in LEFT_OUT}
    with whole(path) as part:
        save_file(weights, part, {KEY: json.dumps(record)})


def read_weights(path: Path) -> dict[str, Any]:
    """As `checkpoint.load` gives it, without optimizer."""
    try:
        with safe_open(path, "pt") as file:
            content = json.loads(file.metadata()[KEY])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not weights of this project ({error})") from error
    floats = {n: v.float() if v.is_floating_point() else v for n, v in weights.items()}
    content["shape"] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in content["shape"].items()
    }
    return content | {"network": floats, "averaged": floats, "optimizer": {}}


def load_network(path: Path) -> tuple[EmotionNetwork, dict[str, Any]]:
    """The network in evaluation mode, and its record."""
    content = read_weights(path)
    shape = NetworkShape(**content["shape"])
    network = EmotionNetwork(shape, len(content.get("labels", LABELS)))
    network.load_state_dict(content["averaged"])
    return network.eval(), content


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep a run's weights as the repository does.")
    parser.add_argument("--run", type=Path, required=True, help="folder of the train step")
    parser.add_argument("--output", type=Path, required=True, help="the .safetensors file to write")
    args = parser.parse_args()
    content = checkpoint.load(args.run)
    if content is None:
        raise UserError(f"{args.run}: holds no checkpoint; run the train step first")
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_weights(args.output, content)
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    run_step(main)

"""Writes the measured parts of a model card: all between `<!-- NAME -->` and `<!-- end -->`.

Prose is written by hand; figures and tables are not. Blocks: `file`, `scores`, `classes`,
`confusion`, `calibration` (with a figure beside the card), `roc` (likewise), `speed`,
`robustness`, `beside`.
"""

import argparse
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import onnxruntime as ort
import torch

from . import figures, tables
from .contract import check
from .data import add_data_arguments, read_data
from .errors import UserError, run_step
from .evaluate import cpu_name
from .landmark_template import ONet
from .robustness import measure
from .scores import score
from .session import EmotionSession

# As `src/pipeline.rs` has it: below it a label is called a guess.
MIN_CONFIDENCE = 0.5
BLOCK = re.compile(r"<!-- (?P<name>[a-z]+) -->\n.*?<!-- end -->", re.DOTALL)


def fill(card: str, blocks: dict[str, Callable[[], str]], where: str) -> str:
    """Replaces the content of every block. A `UserError` names one that is not known."""

    def replaced(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in blocks:
            raise UserError(f"{where}: block `{name}`, expected one of {', '.join(sorted(blocks))}")
        return f"<!-- {name} -->\n{blocks[name]()}\n<!-- end -->"

    return BLOCK.sub(replaced, card)


def _file(path: Path) -> str:
    content = path.read_bytes()
    return tables.table(
        ["file", "size", "sha256"],
        [[path.name, f"{len(content) / 1e6:.2f} MB", f"`{hashlib.sha256(content).hexdigest()}`"]],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_arguments(parser)
    parser.add_argument("--card", type=Path, required=True, help="the Markdown file to fill")
    parser.add_argument("--model", type=Path, required=True, help="its model as ONNX")
    parser.add_argument("--onet", type=Path, help="O-Net as ONNX, for the block `robustness`")
    parser.add_argument("--beside", type=Path, help="another model, for the block `beside`")
    args = parser.parse_args()
    if args.beside is not None and args.beside.name == args.model.name:
        raise UserError(
            f"--model and --beside are both named {args.model.name}: the table's columns"
        )
    torch.set_num_threads(1)
    check(args.model)
    try:
        card = args.card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{args.card}: not readable ({error})") from error
    data = read_data(args)
    faces = data.validation
    session = EmotionSession(args.model)
    scores = score(session, data)
    probabilities, _ = session.run_all(faces.images)

    def calibration() -> str:
        picture = args.card.with_name(f"{args.card.stem}_calibration.svg")
        figures.calibration(faces.labels, probabilities, MIN_CONFIDENCE, picture)
        text = f"![Accuracy over confidence, and over coverage]({picture.name})"
        return f"{text}\n\n{tables.coverage(faces.labels, probabilities)}"

    def roc() -> str:
        picture = args.card.with_name(f"{args.card.stem}_roc.svg")
        figures.roc(faces.labels, probabilities, picture)
        return f"![ROC curves, each class against all others]({picture.name})"

    def speed() -> str:
        one, eight = (session.ms_per_face(faces.images, batch) for batch in (1, 8))
        return (
            f"{one:.2f} ms a face alone, {eight:.2f} ms in a batch of 8: onnxruntime "
            f"{ort.__version__}, 1 thread, {cpu_name()}."
        )

    def robustness() -> str:
        if args.onet is None:
            raise UserError(f"{args.card}: block `robustness` needs --onet")
        return "\n\n".join(measure(session, ONet(args.onet), faces))

    def beside() -> str:
        if args.beside is None:
            raise UserError(f"{args.card}: block `beside` needs --beside")
        other = score(EmotionSession(args.beside), data)
        return tables.beside({args.model.name: scores, args.beside.name: other})

    blocks: dict[str, Callable[[], str]] = {
        "file": lambda: _file(args.model),
        "scores": lambda: tables.accuracy(scores),
        "classes": lambda: tables.per_class(scores),
        "confusion": lambda: tables.confusion(scores),
        "calibration": calibration,
        "roc": roc,
        "speed": speed,
        "robustness": robustness,
        "beside": beside,
    }
    args.card.write_text(fill(card, blocks, str(args.card)), encoding="utf-8")
    print(f"{args.card}: written")


if __name__ == "__main__":
    run_step(main)

"""Scores an emotion model on the validation part, checks its contract, and times it.

By both readings, as `scores` defines them: the challenge's label, and with `--votes` what most
people see (FER+), by the most probable label and by the decision that users get.
"""

import argparse
import json
import platform
from pathlib import Path

import onnxruntime as ort

from . import tables
from .contract import check
from .data import add_data_arguments, read_data
from .errors import run_step
from .scores import score
from .session import EmotionSession


def cpu_name() -> str:
    """The processor as Linux names it, with what int8 gains by."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    values = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    vnni = "with" if "vnni" in values.get("flags", "") else "without"
    return f"{values.get('model name', platform.machine())}, {vnni} VNNI"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="an emotion model as ONNX")
    parser.add_argument("--json", action="store_true", help="print the scores as JSON")
    args = parser.parse_args()
    session = EmotionSession(args.model)
    check(args.model)
    data = read_data(args)
    scores = score(session, data)
    if args.json:
        print(json.dumps(scores, indent=1))
        return
    parts = [tables.accuracy, tables.per_class, tables.confusion]
    if "ferplus" in scores:
        parts += [tables.people, tables.people_per_class, tables.people_confusion]
    for part in parts:
        print(part(scores), end="\n\n")
    print(f"decision: {session.decision.to_json()}\n")
    images = data.validation.images
    one, eight = (session.ms_per_face(images, batch) for batch in (1, 8))
    print(f"{one:.2f} ms a face alone, {eight:.2f} ms in a batch of 8: ", end="")
    print(f"onnxruntime {ort.__version__}, 1 thread, {cpu_name()}")


if __name__ == "__main__":
    run_step(main)

"""Scores an emotion model on PublicTest, checks its contract, and times it."""

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import onnxruntime as ort

from .contract import check
from .data import add_data_arguments, read_fer2013
from .errors import run_step
from .labels import LABELS
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


def print_scores(scores: dict[str, Any]) -> None:
    """Tables in Markdown, ready for the model card."""
    print("| PublicTest accuracy | one pass | averaged with its mirror image |")
    print("|---|---|---|")
    rows = (
        (f"all {scores['images']} images", ""),
        (f"{scores['images_without_twins']} without a twin in Training", "_without_twins"),
    )
    for name, suffix in rows:
        one, flip = scores["accuracy" + suffix], scores["accuracy_flip_averaged" + suffix]
        print(f"| {name} | {one:.2%} | {flip:.2%} |")
    print(f"\nMacro F1 {scores['macro_f1']:.3f}; ", end="")
    print(f"expected calibration error {scores['expected_calibration_error']:.2%}\n")
    print("| class | precision | recall | F1 | images |\n|---|---|---|---|---|")
    for name, s in scores["per_class"].items():
        print(f"| {name} | {s['precision']:.3f} | {s['recall']:.3f} | {s['f1']:.3f} ", end="")
        print(f"| {s['support']} |")
    print("\n| shown \\ read as | " + " | ".join(LABELS) + " |")
    print("|---" * (len(LABELS) + 1) + "|")
    for name, counts in zip(LABELS, scores["confusion"], strict=True):
        print(f"| {name} | " + " | ".join(map(str, counts)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data_arguments(parser)
    parser.add_argument("--model", type=Path, required=True, help="an emotion model as ONNX")
    parser.add_argument("--json", action="store_true", help="print the scores as JSON")
    args = parser.parse_args()
    session = EmotionSession(args.model)
    check(args.model)
    data = read_fer2013(args.fer2013, args.votes)
    scores = score(session, data)
    if args.json:
        print(json.dumps(scores, indent=1))
        return
    print_scores(scores)
    images = data.public_test.images
    one, eight = (session.ms_per_face(images, batch) for batch in (1, 8))
    print(f"\n{one:.2f} ms a face alone, {eight:.2f} ms in a batch of 8: ", end="")
    print(f"onnxruntime {ort.__version__}, 1 thread, {cpu_name()}")


if __name__ == "__main__":
    run_step(main)

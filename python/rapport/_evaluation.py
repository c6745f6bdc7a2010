"""Figures worth citing, as `rapport evaluate` has them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rapport import _native
from rapport._native import Table
from rapport._pipeline import StrPath, model_paths


class Warned(NamedTuple):
    """Warnings of one kind."""

    #: Stays the same from run to run.
    kind: str
    count: int
    #: The first, in full.
    first: str


class Evaluation:
    """What came of an evaluation."""

    def __init__(
        self,
        report: dict[str, Any],
        text: str,
        frames: Table,
        warnings: list[Warned],
        output: Path | None,
    ) -> None:
        #: Every figure: `report.json`, described in docs/evaluation.md.
        self.report = report
        #: The main figures as a table for a terminal.
        self.text = text
        #: Every face of every frame: the columns of `frames.csv`, with `roi` as x, y, width, height.
        self.frames = frames
        #: What went wrong without ending the evaluation.
        self.warnings = warnings
        #: The folder of the report; None where none was asked for.
        self.output = output

    def model(self, name: str | None = None) -> dict[str, Any]:
        """The figures of one model of the report; of the first where none is named."""
        models = self.report["models"]
        for model in models:
            if name in (None, model["name"]):
                return model
        raise KeyError(f"no model {name!r}, found {', '.join(m['name'] for m in models)}")

    def __repr__(self) -> str:
        models = ", ".join(model["name"] for model in self.report["models"])
        return f"Evaluation({len(self.frames)} rows, {models})"


def evaluate(
    source: StrPath,
    *,
    output: StrPath | None = None,
    labels: StrPath | None = None,
    label_topic: str | None = None,
    topic: str | None = None,
    models: Sequence[StrPath] | StrPath | None = None,
    calibration: StrPath | None = None,
    place: str | None = None,
    usage: str = "PublicTest",
    votes: StrPath | None = None,
    cut_out: bool = False,
    include_faces: bool = False,
    working_size: tuple[int, int] | None = None,
    search_hz: float | None = None,
    classify_hz: float | None = None,
    groups: Sequence[str] = (),
    resamples: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
    onnxruntime: StrPath | None = None,
) -> Evaluation:
    """Compares predicted expressions with labels, for a recording or a data set.

    Ctrl-C ends it.

    Args:
        source: A rosbag2 recording (a directory or a file, MCAP or sqlite3), a folder with a folder of
            pictures for each label, or FER2013's CSV (.csv, .csv.xz).
        output: Folder for report.json, report.html and frames.csv. Default: none are kept.
        labels: Labels of a recording, a CSV.
        label_topic: Topic of the recording that has labels.
        topic: Topic of images, where the recording has several.
        models: Emotion networks, compared side by side: files, or names of those that come with the
            package (`emotion`, `fer2013`, `paper_cnn`). Default: `emotion`.
        calibration: What `rapport adapt` learnt about the network, of which there may be one only.
        place: The place, for the calibration's thresholds.
        usage: Part of FER2013: Training, PublicTest or PrivateTest.
        votes: FER+'s votes for FER2013.
        cut_out: The pictures are cropped faces: none is searched for.
        include_faces: Show the faces of the worst mistakes in report.html. Otherwise no pixel is written.
        working_size: Largest (width, height) in pixels at which faces are searched.
        search_hz: How many images a second of a recording are searched. 0: all. Default: 5.
        classify_hz: How often a second each face of a recording is classified. Default: 10.
        groups: Columns of the labels that put faces into groups. Default: age, light and site, where they
            are there.
        resamples: Samples that are drawn for the intervals; 0 for no intervals. Default: as the command.
        seed: What they are drawn by: the same seed gives the same intervals.
        jobs: How many threads work beside one another; the figures are the same for any number.
        onnxruntime: ONNX Runtime's shared library. Default: the one of the wheel `onnxruntime`.

    Raises:
        EvaluationError: If the source, the labels or a model cannot be used.
        SettingError: If `working_size` is none.
    """
    with tempfile.TemporaryDirectory(prefix="rapport-") as temporary:
        folder = Path(temporary if output is None else output)
        text, warnings, frames = _native.evaluate(
            source,
            folder,
            labels=labels,
            label_topic=label_topic,
            topic=topic,
            models=model_paths(models),
            calibration=calibration,
            place=place,
            usage=usage,
            votes=votes,
            cut_out=cut_out,
            include_faces=include_faces,
            working_size=working_size,
            search_hz=search_hz,
            classify_hz=classify_hz,
            groups=list(groups),
            resamples=resamples,
            seed=seed,
            jobs=jobs,
            onnxruntime=onnxruntime,
        )
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    kept = None if output is None else Path(os.path.abspath(folder))
    return Evaluation(report, text, frames, [Warned(*warned) for warned in warnings], kept)

"""Figures for people to look at: class distributions, reliability, ROC curves.

SVG, the same to the byte for the same numbers and pinned versions.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from .errors import UserError
from .labels import LABELS
from .metrics import Reliability, coverage_at, roc_auc

# Okabe and Ito's palette: apart for the usual kinds of colour blindness.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444", "#8a6d3b")


def _save(figure: Figure, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # No date and no random ids; text stays text.
        with matplotlib.rc_context({"svg.hashsalt": "rapport", "svg.fonttype": "none"}):
            figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    except OSError as error:
        raise UserError(f"{path}: not written ({error.strerror or error})") from error
    finally:
        pyplot.close(figure)


def distribution(counts: list[int], title: str, path: Path) -> None:
    """Bars of the images per class, in `LABELS` order."""
    figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
    bars = axes.bar(LABELS, counts, color=COLOURS[: len(LABELS)])
    axes.bar_label(bars, padding=2)
    axes.set(title=f"{title}: {sum(counts)} images", ylabel="images")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.12)
    _save(figure, path)


def calibration(
    found: Reliability,
    right: np.ndarray,
    confidence: np.ndarray,
    threshold: float,
    path: Path,
    measure: str = "accuracy",
) -> None:
    """`measure` over confidence, and accuracy over coverage with the threshold marked.

    `right` [N] and `confidence` [N] are the answers'; `found` is what `measure` says of them.
    """
    figure, (over_confidence, over_coverage) = pyplot.subplots(
        1, 2, figsize=(9, 3.8), layout="constrained"
    )
    filled = found.images > 0
    over_confidence.plot([0, 1], [0, 1], color="#999999", linewidth=1, label="as it should be")
    over_confidence.plot(
        found.confidence[filled], found.accuracy[filled], "o-", color=COLOURS[0], label="as it is"
    )
    shares = over_confidence.twinx()
    edges = np.arange(len(found.images)) / len(found.images)
    width = 1 / len(found.images)
    shares.bar(edges, found.images / found.images.sum(), width, align="edge", color="#0072b230")
    shares.set(ylim=(0, 1), ylabel="share of the images (bars)")
    over_confidence.set(xlabel="confidence", ylabel=f"{measure} (line)", xlim=(0, 1), ylim=(0, 1))
    over_confidence.set_title(f"calibration error {found.expected_calibration_error():.2%}")
    over_confidence.legend(loc="upper left", frameon=False)

    thresholds = [*np.arange(0, 1, 0.01)]
    curve = coverage_at(right, confidence, thresholds)
    (chosen,) = coverage_at(right, confidence, [threshold])
    over_coverage.plot([c.coverage for c in curve], [c.accuracy for c in curve], color=COLOURS[0])
    over_coverage.plot(chosen.coverage, chosen.accuracy, "o", color=COLOURS[1])
    over_coverage.annotate(
        f"confidence {threshold:g}: {chosen.accuracy:.1%} right\non {chosen.coverage:.0%} of the "
        f"faces;\n{chosen.accuracy_below:.1%} on the others",
        (chosen.coverage, chosen.accuracy),
        xytext=(-150, -70),
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": "#999999"},
    )
    over_coverage.set(
        xlabel="coverage: share of the faces answered", ylabel="accuracy", xlim=(0, 1)
    )
    over_coverage.set_title("what a threshold buys")
    for axes in (over_confidence, over_coverage):
        axes.grid(color="#eeeeee")
        axes.set_axisbelow(True)
    _save(figure, path)


def roc(
    labels: np.ndarray, probabilities: np.ndarray, path: Path, names: Sequence[str] = LABELS
) -> None:
    """Each class against all others; `labels` [N] are columns of `probabilities` [N,K]."""
    figure, axes = pyplot.subplots(figsize=(4.6, 4.2), layout="constrained")
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    areas = roc_auc(labels, probabilities)
    for index, (name, colour, area) in enumerate(zip(names, COLOURS, areas, strict=False)):
        wrong, found, _ = roc_curve(labels == index, probabilities[:, index])
        axes.plot(wrong, found, color=colour, label=f"{name} {area:.3f}")
    axes.set(xlabel="false positives", ylabel="true positives", xlim=(0, 1), ylim=(0, 1))
    axes.legend(title="area under the curve", frameon=False)
    _save(figure, path)

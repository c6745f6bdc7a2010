"""Write tests/reference/statistics.json: answers of scikit-learn, scipy and statsmodels, for the tests
of crates/evaluation.

    python -m venv venv
    venv/bin/pip install scikit-learn==1.9.1 scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python tools/metrics/make_statistics.py tests/reference/statistics.json

The bootstrap is drawn twice. Once by the generator of crates/evaluation, written anew here, with every
figure of every sample by scikit-learn: these intervals must be the same. Once by scipy's own bootstrap,
with more samples of its own: these must be about the same.
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from pathlib import Path

import numpy as np
import scipy
import sklearn
import statsmodels
from plain import plain
from scipy.spatial.distance import jensenshannon
from scipy.stats import binomtest, bootstrap, entropy, pearsonr
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    roc_auc_score,
    root_mean_squared_error,
)
from statsmodels.stats.contingency_tables import mcnemar

# The labels in the order of the vocabulary: angry, disgust, fear, happy, neutral, sad, surprise and,
# for people only, contempt.
CLASSES = 7
NEUTRAL = 4
NEGATIVE = [0, 1, 2, 5]
# neutral, happiness, surprise, sadness, anger, disgust, fear, contempt: FER+'s columns.
VOTE_COLUMNS = [4, 3, 6, 5, 0, 1, 2, 7]
BINS = 15
SEED = 20261127
SAMPLES = 100
DRAWN_BY = 7
SCIPY_SAMPLES = 9999


def drawn(units, sample):
    """The units of a sample: SplitMix64, the upper 32 bits scaled to the units."""
    with np.errstate(over="ignore"):
        index = np.uint64(sample * units) + np.arange(units, dtype=np.uint64)
        z = np.uint64(DRAWN_BY) + (index + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(32)) * np.uint64(units)) >> np.uint64(32)


def nearest_rank(samples, percent):
    ordered = sorted(samples)
    return ordered[math.ceil(percent * len(ordered) / 100.0) - 1]


def calibration_error(confidence, share):
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs((confidence - share)[bins == b].sum()) for b in range(BINS)]
    return sum(gaps) / len(confidence)


def mean_of_defined(figures):
    defined = [figure for figure in figures if figure is not None]
    return np.mean(defined) if defined else None


def figures(case, model, rows):
    """The figures of one model over some faces, each as often as it is in `rows`."""
    truth, scores = case["truth"][rows], model["scores"][rows]
    predicted = scores.argmax(axis=1)
    confidence = scores.max(axis=1)
    found = {
        "accuracy": accuracy_score(truth, predicted),
        "macro_f1": f1_score(truth, predicted, average="macro", zero_division=0),
        "expected_calibration_error": calibration_error(confidence, predicted == truth),
    }
    areas, averages = [], []
    for index in range(CLASSES):
        is_it = truth == index
        both = is_it.any() and not is_it.all()
        areas.append(roc_auc_score(is_it, scores[:, index]) if both else None)
        some = is_it.any()
        averages.append(average_precision_score(is_it, scores[:, index]) if some else None)
    found["roc_auc_macro"] = mean_of_defined(areas)
    found["average_precision_macro"] = mean_of_defined(averages)
    found |= of_votes(case["votes"][rows], scores, predicted, confidence)
    for name in ("valence", "arousal"):
        found[f"{name}_ccc"] = concordance(case[name][rows], model[name][rows])
    return found


def of_votes(votes, scores, predicted, confidence):
    left = np.where(votes <= 1, 0, votes).astype(float)
    most = left.argmax(axis=1)
    agreed = (left.max(axis=1) > 0.5 * left.sum(axis=1)) & (most < len(VOTE_COLUMNS))
    soft = (left.max(axis=1) > 0) & (most < len(VOTE_COLUMNS))
    shares = np.zeros((len(votes), CLASSES + 1))
    with np.errstate(invalid="ignore"):
        shares[:, VOTE_COLUMNS] = left[:, :8] / left[:, :8].sum(axis=1, keepdims=True)
    read = np.pad(scores, ((0, 0), (0, 1)))
    label = np.array(VOTE_COLUMNS)[np.minimum(most, 7)]
    of_label = shares[np.arange(len(votes)), predicted]

    def cross(rows):
        """Cross-entropy is entropy and what is lost on top of it: Kullback and Leibler's."""
        some, least = shares[rows], np.maximum(read[rows], 0.001)
        # scipy scales the second to 1; that is taken back.
        lost = entropy(some, least, axis=1) - np.log(least.sum(axis=1))
        return (entropy(some, axis=1) + lost).mean()

    right = label == predicted
    neutral = agreed & (label == NEUTRAL)
    sure = confidence >= 0.5
    return {
        "ferplus_accuracy": right[agreed].mean(),
        "ferplus_macro_f1": f1_score(
            label[agreed], predicted[agreed], labels=range(8), average="macro", zero_division=0
        ),
        "ferplus_neutral_as_negative": np.isin(predicted, NEGATIVE)[neutral].mean(),
        "ferplus_accuracy_sure": right[agreed & sure].mean(),
        "ferplus_expected_calibration_error": calibration_error(
            confidence[agreed], of_label[agreed]
        ),
        "ferplus_cross_entropy": cross(agreed),
        "ferplus_entropy_of_votes": entropy(shares[agreed], axis=1).mean(),
        "soft_cross_entropy": cross(soft),
        "soft_entropy_of_votes": entropy(shares[soft], axis=1).mean(),
        "soft_jensen_shannon": (
            jensenshannon(shares[soft], read[soft], base=2, axis=1) ** 2
        ).mean(),
        "soft_votes_for_label": of_label[soft].mean(),
    }


def concordance(given, read):
    """By the squared differences, another way than the program's."""
    spread = given.var() + read.var() + (given.mean() - read.mean()) ** 2
    return 1.0 - np.mean((given - read) ** 2) / spread


BIASED = ["expected_calibration_error", "ferplus_expected_calibration_error"]


def without_bias(whole, samples, name):
    """A calibration error is larger in samples than in what they are drawn from."""
    return np.array(samples) - (np.mean(samples) - whole) if name in BIASED else samples


def interval(whole, samples):
    lower, upper = nearest_rank(samples, 2.5), nearest_rank(samples, 97.5)
    return {"estimate": whole, "lower": lower, "upper": upper}


def p_value(samples):
    samples = np.array(samples)
    rarer = min((samples <= 0).sum(), (samples >= 0).sum())
    return min(2.0 * (rarer + 1) / (len(samples) + 1), 1.0)


def by_groups(case, model, rows_of_samples):
    """Accuracy and macro F1 of each group, and the accuracy less that of all others."""

    def of(rows):
        group = case["group"][rows]
        truth, predicted = case["truth"][rows], model["scores"][rows].argmax(axis=1)
        right = truth == predicted
        return {
            name: {
                "accuracy": right[group == name].mean(),
                "macro_f1": f1_score(
                    truth[group == name],
                    predicted[group == name],
                    average="macro",
                    zero_division=0,
                ),
                "accuracy_less_others": right[group == name].mean() - right[group != name].mean(),
            }
            for name in sorted(set(case["group"]))
        }

    whole = of(np.arange(len(case["truth"])))
    samples = [of(rows) for rows in rows_of_samples]
    return {
        name: {
            key: interval(value, [sample[name][key] for sample in samples])
            for key, value in found.items()
        }
        | {"p": p_value([sample[name]["accuracy_less_others"] for sample in samples])}
        for name, found in whole.items()
    }


def single(value):
    """Numbers as the program holds them: in single precision."""
    return value.astype(np.float32).astype(float)


def model(rng, truth, valence, arousal, sharpness):
    """Answers that lean to the true class; three decimals make ties."""
    logits = rng.normal(size=(len(truth), CLASSES))
    logits[np.arange(len(truth)), truth] += sharpness
    scores = np.exp(1.5 * logits)
    return {
        "scores": single(np.round(scores / scores.sum(axis=1, keepdims=True), 3)),
        "valence": single(0.6 * valence + rng.normal(0.1, 0.2, size=len(truth))),
        "arousal": single(0.3 * arousal + rng.normal(-0.1, 0.3, size=len(truth))),
    }


def votes_of(rng, truth):
    """Ten votes for each picture, most for what it shows; some for unknown and no face."""
    column = np.array([VOTE_COLUMNS.index(label) for label in truth])
    odds = np.full((len(truth), 10), 0.045)
    odds[np.arange(len(truth)), column] += 0.55
    odds[rng.random(len(truth)) < 0.08, 8] += 1.0
    return np.array([rng.multinomial(10, row / row.sum()) for row in odds])


def case(rng, name, faces, units):
    truth = rng.integers(0, CLASSES, size=faces)
    valence, arousal = (
        single(rng.uniform(-1, 1, size=faces)),
        single(rng.uniform(-1, 1, size=faces)),
    )
    found = {
        "name": name,
        "truth": truth,
        "votes": votes_of(rng, truth),
        "valence": valence,
        "arousal": arousal,
        "group": rng.choice(["bright", "dim", "night"], size=faces),
        "unit": np.arange(faces) if units == faces else np.sort(rng.integers(0, units, size=faces)),
    }
    # Units are numbered in the order in which they come, without gaps.
    found["unit"] = np.unique(found["unit"], return_inverse=True)[1]
    units = int(found["unit"].max()) + 1
    found["models"] = [model(rng, truth, valence, arousal, sharpness) for sharpness in (0.9, 1.5)]
    rows_of_samples = [
        np.concatenate([np.flatnonzero(found["unit"] == unit) for unit in drawn(units, sample)])
        for sample in range(SAMPLES)
    ]
    whole = [figures(found, answers, np.arange(faces)) for answers in found["models"]]
    samples = [
        [figures(found, answers, rows) for rows in rows_of_samples] for answers in found["models"]
    ]
    for answers, all_faces, in_samples in zip(found["models"], whole, samples, strict=True):
        answers["intervals"] = {
            key: interval(
                value,
                [
                    max(figure, 0.0) if key in BIASED else figure
                    for figure in without_bias(value, [sample[key] for sample in in_samples], key)
                ],
            )
            for key, value in all_faces.items()
        }
        answers["groups"] = by_groups(found, answers, rows_of_samples)
    found["differences"] = {}
    for key in whole[0]:
        differences = [b[key] - a[key] for a, b in zip(*samples, strict=True)]
        difference = whole[1][key] - whole[0][key]
        differences = without_bias(difference, differences, key)
        found["differences"][key] = interval(difference, differences)
        found["differences"][key]["p"] = p_value(differences)
    right = [answers["scores"].argmax(axis=1) == truth for answers in found["models"]]
    found["mcnemar"] = mcnemar_test([right[0], right[1]])
    found["scipy"] = by_scipy(found) if units == faces else None
    return found


def by_scipy(case):
    """scipy's own bootstrap, with samples of its own, of figures of each kind."""
    faces = np.arange(len(case["truth"]))
    wanted = ["accuracy", "soft_jensen_shannon", "valence_ccc"]

    def of(statistic):
        found = bootstrap(
            (faces,),
            statistic,
            method="percentile",
            n_resamples=SCIPY_SAMPLES,
            vectorized=False,
            rng=np.random.default_rng(SEED),
        )
        return list(found.confidence_interval)

    one, other = case["models"]
    right = [answers["scores"].argmax(axis=1) == case["truth"] for answers in (one, other)]
    left = np.where(case["votes"] <= 1, 0, case["votes"])
    soft = (left.max(axis=1) > 0) & (left.argmax(axis=1) < 8)
    shares = np.zeros((len(faces), CLASSES + 1))
    with np.errstate(invalid="ignore"):
        shares[:, VOTE_COLUMNS] = left[:, :8] / left[:, :8].sum(axis=1, keepdims=True)
    apart = jensenshannon(shares, np.pad(one["scores"], ((0, 0), (0, 1))), base=2, axis=1) ** 2
    statistics = [
        lambda rows: right[0][rows].mean(),
        lambda rows: apart[rows][soft[rows]].mean(),
        lambda rows: concordance(case["valence"][rows], one["valence"][rows]),
    ]
    found = {name: of(statistic) for name, statistic in zip(wanted, statistics, strict=True)}
    found["accuracy_difference"] = of(lambda rows: right[1][rows].mean() - right[0][rows].mean())
    return found


def mcnemar_test(right):
    """McNemar's test by statsmodels, its exact probability also by scipy."""
    first, second = (np.asarray(values, dtype=bool) for values in right)
    table = [
        [(first & second).sum(), (first & ~second).sum()],
        [(~first & second).sum(), (~first & ~second).sum()],
    ]
    only_first, only_second = int(table[0][1]), int(table[1][0])
    exact = mcnemar(table, exact=True)
    found = {"only_first": only_first, "only_second": only_second, "p_exact": exact.pvalue}
    if only_first + only_second:
        corrected = mcnemar(table, exact=False, correction=True)
        found |= {"chi_squared": corrected.statistic, "p_chi_squared": corrected.pvalue}
        by_scipy = binomtest(only_first, only_first + only_second).pvalue
        assert math.isclose(exact.pvalue, by_scipy, rel_tol=1e-9), (table, exact.pvalue, by_scipy)
    return found


def tests():
    for first, second in [(0, 1), (1, 0), (5, 5), (3, 9), (8, 1), (30, 18), (121, 87), (900, 1013)]:
        yield mcnemar_test([[True] * first + [False] * second, [False] * first + [True] * second])


def agreements(rng):
    for name, given, read in [
        ("alike", *np.repeat(rng.uniform(-1, 1, size=(1, 30)), 2, axis=0)),
        ("shifted", np.linspace(-1, 0.5, 20), np.linspace(-0.5, 1, 20)),
        ("other scale", np.linspace(-1, 1, 20), np.linspace(-0.2, 0.3, 20)),
        ("opposite", np.linspace(-1, 1, 7), np.linspace(1, -1, 7)),
        ("noise", rng.uniform(-1, 1, size=50), rng.uniform(-1, 1, size=50)),
        ("a little", *rng.multivariate_normal([0.1, -0.2], [[0.2, 0.1], [0.1, 0.15]], size=80).T),
    ]:
        yield {
            "name": name,
            "given": given,
            "read": read,
            "ccc": concordance(given, read),
            "pearson": pearsonr(given, read).statistic,
            "rmse": root_mean_squared_error(given, read),
        }


def divergences(rng):
    for _ in range(12):
        one, other = rng.dirichlet(np.full(8, 0.4), size=2).round(3)
        yield {"one": one, "other": other, "jensen_shannon": jensenshannon(one, other, base=2) ** 2}
    for one, other in [([1, 0, 0], [0, 0.5, 0.5]), ([0.5, 0.5, 0], [0.5, 0.5, 0])]:
        yield {"one": one, "other": other, "jensen_shannon": jensenshannon(one, other, base=2) ** 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="FILE.json")
    arguments = parser.parse_args()
    # Classes that a sample lacks.
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(SEED)
    versions = (
        f"scikit-learn {sklearn.__version__}, scipy {scipy.__version__}, "
        f"statsmodels {statsmodels.__version__}"
    )
    document = {
        "made_by": f"tools/metrics/make_statistics.py, {versions}",
        "samples": SAMPLES,
        "seed": DRAWN_BY,
        "cases": [case(rng, "pictures", 80, 80), case(rng, "subjects", 120, 25)],
        "tests": list(tests()),
        "agreements": list(agreements(rng)),
        "divergences": list(divergences(rng)),
    }
    text = json.dumps(
        plain(document, lambda number: float(f"{number:.13g}")), separators=(",", ":")
    )
    arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # First steps
#
# Pictures, a recording, and a comparison of networks with confidence intervals and plots. This file is
# a script and a notebook: open it in Jupyter with [Jupytext](https://jupytext.readthedocs.io), or turn
# it into a notebook by `jupytext --to ipynb first_steps.py`. It needs the package (`make wheel`, then
# `pip install` the file in `target/wheels`), and `pip install pandas pyarrow matplotlib pillow`.
#
# What is read is the expression shown, never the emotion felt.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image, ImageEnhance

import rapport

# The pictures of the repository. In your own notebook: any pictures.
PICTURES = Path(os.environ.get("RAPPORT_PICTURES", "../../tests/pictures"))
# Labelled data: a folder with a folder of pictures for each label, or FER2013's CSV.
DATA = os.environ.get("RAPPORT_DATA")
# FER+'s votes for FER2013's CSV.
VOTES = os.environ.get("RAPPORT_VOTES")
NETWORKS = ["emotion", "fer2013", "paper_cnn"]

plt.rcParams.update({"figure.dpi": 110, "axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## One picture
#
# `process` takes a NumPy array or a Pillow image and gives the people in it.

# %%
portrait = Image.open(PICTURES / "astronaut.jpg")
pipeline = rapport.Pipeline()
people = pipeline.process(portrait)
pd.DataFrame(person.to_dict() for person in people).round(2)

# %%
fig, ax = plt.subplots(figsize=(4, 4))
ax.imshow(portrait)
for person in people:
    x, y, width, height = person.box
    ax.add_patch(plt.Rectangle((x, y), width, height, fill=False, color="white", linewidth=2))
    ax.plot(*person.landmarks.T, "o", color="white", markersize=3)
    ax.text(x, y - 8, f"{person.label} {person.confidence:.0%}", color="white", weight="bold")
ax.set_axis_off()
plt.show()

# %% [markdown]
# Many pictures at once: `process_batch` gives the same, and several threads share the work.

# %%
names = ["astronaut.jpg", "hopper.jpg", "solvay_1927.jpg", "coffee.jpg"]
found = pipeline.process_batch([Image.open(PICTURES / name) for name in names], jobs=2)
pd.DataFrame(
    {
        "picture": names,
        "people": [len(people) for people in found],
        "sure": [sum(person.sure for person in people) for people in found],
    }
)

# %% [markdown]
# ## A recording
#
# `track` follows people through a film, a rosbag2 recording or any frames: ids stay, labels are smoothed
# over time. Here the frames are made: one person moves to the right, and after 1.5 seconds another one
# comes into view. With a recording of your own: `rapport.track("corridor.mcap")`.

# %%
left = (
    Image.open(PICTURES / "hopper.jpg").convert("RGB").crop((90, 30, 450, 390)).resize((200, 200))
)
right = portrait.crop((110, 0, 340, 230)).resize((200, 200))


def frame(number: int) -> np.ndarray:
    """One of 60 frames of 640x480."""
    canvas = Image.new("RGB", (640, 480), (90, 96, 100))
    canvas.paste(left, (40 + 2 * number, 140))
    if number >= 22:
        canvas.paste(right, (400, 140))
    return np.asarray(canvas)


rows = [
    {"time_secs": tracked.time_secs, **person.to_dict()}
    for tracked in rapport.track((frame(number) for number in range(60)), fps=15)
    for person in tracked.people
]
timeline = pd.DataFrame(rows).pivot(index="time_secs", columns="id", values="happy")
ax = timeline.plot(figsize=(7, 2.4), linewidth=2, ylim=(-0.03, 1.03))
ax.set(xlabel="time in seconds", ylabel="probability of happy")
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()

# %% [markdown]
# ## Labelled data
#
# `evaluate` compares predictions with labels, as the command `rapport evaluate` does. Set `RAPPORT_DATA`
# to a folder of pictures, or to FER2013's CSV, to have figures worth reading.
#
# Without it, a stand-in is made: two photographs, each moved, blurred and darkened 30 times. It shows how
# the rest of this page works. Its figures say nothing about people: there are two of them.

# %%
temporary = tempfile.TemporaryDirectory()


def make_stand_in() -> Path:
    """A folder with a folder of pictures for each label."""
    folder, dice = Path(temporary.name), np.random.default_rng(20)
    faces = [
        ("happy", "astronaut.jpg", (110, 0, 340, 230)),
        ("neutral", "hopper.jpg", (90, 30, 450, 390)),
    ]
    for label, name, box in faces:
        (folder / label).mkdir()
        face = Image.open(PICTURES / name).convert("RGB").crop(box)
        for number in range(30):
            side = int(dice.integers(20, 120))
            worse = face.rotate(dice.uniform(-15, 15)).resize((side, side)).resize((240, 240))
            worse = ImageEnhance.Brightness(worse).enhance(dice.uniform(0.15, 1.6))
            worse.save(folder / label / f"{number:02}.png")
    return folder


evaluation = rapport.evaluate(DATA or make_stand_in(), models=NETWORKS, votes=VOTES)
print(evaluation.text)

# %% [markdown]
# Every face of every picture is a row of a table that pandas, Polars and DuckDB read.

# %%
faces = evaluation.frames.to_pandas()
faces.head(4)

# %% [markdown]
# ### Which network is better, and how sure is that?
#
# The report has an interval for each figure (bootstrap over pictures, seeded) and, since all networks saw
# the same pictures, for the differences from the first one. Where a difference's interval holds 0, these
# pictures do not tell the two apart. Where every sample gives the same, there is no interval.

# %%
accuracy = pd.DataFrame(
    {name: evaluation.model(name)["intervals"]["accuracy"] for name in NETWORKS}
).T
differences = pd.DataFrame(
    {
        f"{comparison['model']} - {comparison['baseline']}": comparison["differences"]["accuracy"]
        for comparison in evaluation.report["comparisons"]
    }
).T
pd.concat([accuracy, differences]).style.format("{:.3f}", na_rep="")

# %%
fig, ax = plt.subplots(figsize=(6, 1.8))
ax.errorbar(
    accuracy.estimate,
    range(len(accuracy)),
    xerr=[accuracy.estimate - accuracy.lower, accuracy.upper - accuracy.estimate],
    fmt="o",
    capsize=3,
)
ax.set(yticks=range(len(accuracy)), yticklabels=NETWORKS, xlabel="accuracy, 95 % interval")
ax.set_ylim(len(accuracy) - 0.5, -0.5)
plt.show()

# %% [markdown]
# ## The plots of a paper
#
# In the order in which papers on expressions have them: how the classes are distributed, ROC, confusion,
# report, Grad-CAM. All come from `evaluation.report`, whose keys are in `docs/evaluation.md`.

# %% [markdown]
# ### Class distribution

# %%
model = evaluation.model("emotion")
labels = evaluation.report["labels"]["names"]
matrix = np.array(model["confusion_matrix"])
counts = matrix.sum(axis=1)
fig, ax = plt.subplots(figsize=(7.5, 2.6))
ax.bar(labels, counts, color="#4878a8")
ax.bar_label(ax.containers[0], fontsize=8)
ax.set_ylabel("labelled faces")
plt.show()

# %% [markdown]
# ### ROC, one class against the rest

# %%
fig, ax = plt.subplots(figsize=(4.6, 4.2))
for label in labels:
    curve = model["roc"][label]
    if curve:
        ax.plot(
            curve["fpr"],
            curve["tpr"],
            label=f"{label} {model['roc_auc'][label]:.3f}",
            linewidth=1.5,
        )
ax.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle="--")
ax.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
ax.legend(title="area under the curve", fontsize=8, frameon=False)
plt.show()

# %% [markdown]
# ### Confusion

# %%
share = matrix / np.maximum(counts, 1)[:, None]
fig, ax = plt.subplots(figsize=(4.8, 4.4))
ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
for row_index, column_index in np.ndindex(*matrix.shape):
    if matrix[row_index, column_index]:
        value = share[row_index, column_index]
        color = "white" if value > 0.5 else "black"
        ax.text(
            column_index,
            row_index,
            f"{value:.2f}",
            ha="center",
            va="center",
            color=color,
            fontsize=8,
        )
ax.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
ax.set_yticks(range(len(labels)), labels)
ax.set(xlabel="predicted", ylabel="true, each row sums to 1")
plt.show()

# %% [markdown]
# ### Report

# %%
report = pd.DataFrame(
    {
        label: model["classification_report"][label]
        for label in labels
        if label in model["classification_report"]
    }
).T
report.style.format({"support": "{:.0f}"}, precision=3)

# %% [markdown]
# ### Grad-CAM
#
# Which parts of the face speak for the label that was read, and which for another.

# %%
person = people[0]
why = pipeline.explain(portrait, person)
fig, axes = plt.subplots(1, 3, figsize=(9, 3.2))
for ax, title, shown in [
    (axes[0], "picture", np.asarray(portrait)),
    (axes[1], f"for {person.label}", why.overlay(portrait)),
    (axes[2], "for surprise", why.overlay(portrait, "surprise")),
]:
    ax.imshow(shown)
    ax.set_title(title, fontsize=10)
    ax.set_axis_off()
plt.show()

# %%
temporary.cleanup()

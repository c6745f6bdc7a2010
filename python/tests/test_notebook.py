"""The notebook runs from its first cell to its last, and every plot of it shows something."""

from __future__ import annotations

import base64
import io
import os

import numpy as np
import pytest
from PIL import Image

from conftest import PICTURES, ROOT

SCRIPT = ROOT / "docs/notebooks/first_steps.py"
# Portrait, timeline, intervals, classes, ROC, confusion, Grad-CAM.
PLOTS = 7


def test_the_notebook_runs_and_renders(rapport, tmp_path, monkeypatch):
    jupytext = pytest.importorskip("jupytext", reason="jupytext is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbconvert is not installed")
    nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    monkeypatch.setenv("RAPPORT_PICTURES", str(PICTURES))
    monkeypatch.delenv("RAPPORT_DATA", raising=False)
    monkeypatch.delenv("RAPPORT_VOTES", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = jupytext.read(SCRIPT)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    plots = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            if "image/png" in output.get("data", {}):
                data = base64.b64decode(output.data["image/png"])
                plots.append(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert len(plots) == PLOTS
    for number, plot in enumerate(plots):
        assert min(plot.shape[:2]) > 100 and plot.std() > 10, f"plot {number} shows nothing"
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert page.count("<img") == PLOTS and "Class distribution" in page
    # Where somebody wants to look at it.
    if folder := os.environ.get("RAPPORT_NOTEBOOK"):
        with open(os.path.join(folder, "first_steps.html"), "w", encoding="utf-8") as file:
            file.write(page)

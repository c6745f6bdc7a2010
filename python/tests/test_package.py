"""What is in the wheel, what it loads, and how it lives beside the messages of ROS."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

MESSAGES = Path(os.environ.get("RAPPORT_MESSAGES", ROOT / ".prefix" / "messages"))


def python(code: str, *paths: Path, **environment: str) -> str:
    """Runs code in another interpreter, with these folders first in sys.path; what it prints."""
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), **environment},
        cwd="/",
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_the_wheel_says_what_it_needs(rapport):
    assert importlib.metadata.version("rapport-expressions") == rapport.__version__
    needs = importlib.metadata.requires("rapport-expressions")
    assert "onnxruntime>=1.19.2,<1.29" in [need.replace(" ", "") for need in needs]
    share = Path(rapport._runtime.SHARE)
    assert {p.stem for p in share.glob("models/*.onnx")} == {
        "emotion",
        "fer2013",
        "onet",
        "paper_cnn",
        "yunet",
    }
    assert all(path.stat().st_size > 100 for path in share.rglob("*.*") if path.is_file())
    assert not list(share.rglob("*.py")) and not any(p.is_symlink() for p in share.rglob("*"))
    assert list(share.glob("models/licenses/*.txt"))


def test_the_names_are_listed_once(rapport):
    import rapport as package

    assert list(package._NAMES) == rapport.__all__
    stub = (Path(package.__file__).parent / "__init__.pyi").read_text()
    for name in rapport.__all__:
        assert f"import {name} as {name}\n" in stub
        assert getattr(package, name) is getattr(rapport, name)
    assert set(rapport.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="module 'rapport' has no attribute 'pipeline'"):
        package.pipeline  # noqa: B018
    undocumented = [
        name
        for name in rapport.__all__
        if name != "__version__" and not (getattr(rapport, name).__doc__ or "").strip()
    ]
    assert undocumented == []


def test_importing_loads_nothing_until_it_is_used():
    code = (
        "import sys, rapport\n"
        "before = [m for m in sys.modules if m.startswith(('rapport.', 'numpy', 'onnxruntime'))]\n"
        "rapport.Pipeline\n"
        "print(before, 'rapport._native' in sys.modules, 'onnxruntime' in sys.modules)"
    )
    assert python(code) == "[] True False"


def test_onnxruntime_of_python_works_in_the_same_process(rapport):
    code = (
        "import onnxruntime, rapport, numpy\n"
        "from pathlib import Path\n"
        "model = Path(rapport.__file__).parent / 'share/models/emotion.onnx'\n"
        "onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])\n"
        "rapport.Pipeline().process(numpy.zeros((48, 48), 'uint8'))\n"
        "print(rapport.onnxruntime_version() == onnxruntime.__version__)"
    )
    assert python(code) == "True"


def test_a_missing_onnxruntime_is_named():
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "import importlib.util; importlib.util.find_spec = lambda name: None\n"
        "import rapport\n"
        "try: rapport.Pipeline()\n"
        "except rapport.ModelError as error: print(error)"
    )
    assert "ONNX Runtime not found" in python(code, ORT_DYLIB_PATH="")


@pytest.fixture(scope="module")
def messages() -> Path:
    """The folder with the Python package that ROS generated of this package's messages, of this very
    version of `__init__.py`."""
    found = sorted(MESSAGES.glob("lib/python3*/site-packages/rapport/msg/__init__.py"))
    if not found:
        pytest.skip(f"no ROS messages of rapport in {MESSAGES}")
    return found[0].parents[2]


def ros_python() -> list[Path]:
    """What generated messages import: rosidl_parser. Of the prefix, if its Python is this one."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = ROOT / ".prefix/venv/lib" / version / "site-packages"
    if not (site / "rosidl_parser").exists():
        pytest.skip(f"no rosidl_parser in {site}")
    return [site]


def test_messages_of_ros_and_the_wheel_live_side_by_side(messages):
    import rapport as package

    own = Path(package.__file__).parents[1]
    assert (messages / "rapport" / "__init__.py").read_text() == Path(package.__file__).read_text()
    code = (
        "import sys, rapport.msg\n"
        "print('rapport._native' in sys.modules)\n"
        "import rapport, rapport.srv\n"
        "from rapport.msg import FaceEmotion\n"
        "from rapport import Pipeline\n"
        "print(rapport.__file__, FaceEmotion.__name__, Pipeline.__name__, rapport.Box(1, 2, 3, 4).x)"
    )
    for paths in ([messages, own], [own, messages]):
        loaded, said = python(code, *paths, *ros_python()).splitlines()
        assert loaded == "False"
        assert said == f"{paths[0]}/rapport/__init__.py FaceEmotion Pipeline 1"


def test_without_the_wheel_one_sentence_says_what_to_install(tmp_path):
    import rapport as package

    (tmp_path / "rapport" / "msg").mkdir(parents=True)
    shutil.copy(package.__file__, tmp_path / "rapport")
    (tmp_path / "rapport" / "msg" / "__init__.py").write_text("value = 7\n")
    # Isolated from this environment, where the wheel is.
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import rapport.msg\n"
        "print(rapport.msg.value, 'Pipeline' in dir(rapport), hasattr(rapport, 'nothing'))\n"
        "try: from rapport import Pipeline\n"
        "except ImportError as error: print(error)"
    )
    line = [sys.executable, "-S", "-I", "-c", script]
    found = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    first, sentence = found.splitlines()
    assert first == "7 False False"
    assert "rapport.Pipeline is part of the Python package rapport-expressions" in sentence
    assert "pip install ./python" in sentence


def test_type_checkers_agree_with_the_package(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed")
    (tmp_path / "use.py").write_text(
        "import numpy as np\n"
        "import rapport\n"
        "people = rapport.Pipeline(threads=1).process(np.zeros((4, 4, 3), np.uint8), 0.5)\n"
        "reveal_type(people[0].box.width)\n"
        "reveal_type(people[0].probabilities)\n"
        "rapport.Pipeline(thread=1)\n"
        "people[0].feeling\n"
    )
    line = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "use.py"]
    said = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path).stdout
    assert 'Revealed type is "float"' in said or 'Revealed type is "builtins.float"' in said
    assert "dict[str, float]" in said or "dict[builtins.str, builtins.float]" in said
    assert 'Unexpected keyword argument "thread"' in said
    assert '"Person" has no attribute "feeling"' in said
    assert "Found 2 errors" in said, said
    line = [sys.executable, "-m", "mypy.stubtest", "rapport._native", "--ignore-missing-stub"]
    checked = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout

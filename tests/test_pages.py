"""README and docs: every link resolves, the README stays short, and what they name exists."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray

from graph import BIN_DIR, ROOT
from scenes import smiling_face

README_MAX_LINES = 250
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
CARDS = sorted((ROOT / "models").glob("*.md"))
PAGES = [README, *DOCS, *CARDS]
MORE_PAGES = [*(ROOT / "training").glob("*.md"), *(ROOT / "tests").rglob("*.md")]
FOLDERS = "benches config crates docs launch models msg src srv tests tools training .ci".split()


def name(page):
    return str(page.relative_to(ROOT))


def prose(page):
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def code_spans(page):
    return re.findall(r"`([^`\n]+)`", prose(page))


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        repeated = sum(a == anchor or re.fullmatch(rf"{anchor}-\d+", a) is not None for a in found)
        found.add(f"{anchor}-{repeated}" if repeated else anchor)
    return found


def table(page, first_header):
    """The rows of the table whose first column has this header, as lists of cells."""
    lines = page.read_text().splitlines()
    (start,) = [i for i, line in enumerate(lines) if line.startswith(f"| {first_header} |")]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def names_in(cells):
    """What is between backticks in cells."""
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def numbers(text):
    return re.findall(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)", text)


@pytest.mark.parametrize("page", [*PAGES, *MORE_PAGES], ids=name)
def test_every_relative_link_resolves(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or not file.is_relative_to(ROOT):
            broken.append(target)
        elif anchor and (file.suffix != ".md" or anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= README_MAX_LINES


def test_the_readme_leads_to_every_page_and_each_begins_with_its_purpose():
    readme = prose(README)
    for page in DOCS:
        assert f"]({name(page)})" in readme, page
        first = page.read_text().splitlines()[2]
        assert first.startswith("This page "), page


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_exist(page):
    paths = [s for s in code_spans(page) if re.fullmatch(r"[\w.][\w./-]*", s) and "/" in s]
    missing = [p for p in paths if p.split("/")[0] in FOLDERS and not (ROOT / p).exists()]
    assert not missing


@pytest.mark.parametrize("page", [README, *DOCS], ids=name)
def test_options_that_are_named_exist(page):
    def help_of(*command):
        return subprocess.run(
            [BIN_DIR / "rapport", *command, "--help"], capture_output=True, text=True, check=True
        ).stdout

    commands = (
        *("adapt", "analyze", "evaluate", "feedback", "journal", "policy", "record", "rehearse"),
        *("replay", "serve", "watch"),
    )
    texts = {command: help_of(command) for command in commands}
    for action in ("status", "export", "withdraw", "empty"):
        texts["feedback"] += help_of("feedback", action)
    for action in ("export", "merge"):
        texts["journal"] += help_of("journal", action)
    lines = [*code_spans(page), *page.read_text().splitlines()]
    used = [re.match(r"rapport ([a-z]+)( .*)?$", line) for line in lines]
    unknown = [match[1] for match in used if match and match[1] not in commands]
    for match in used:
        if match and match[1] in commands:
            words = (match[2] or "").split(" #")[0].split("--ros-args")[0]
            unknown += [o for o in options(words) if not has_option(texts[match[1]], o)]
    for span in code_spans(page):
        if span.startswith("--"):
            unknown += [
                o for o in options(span) if not any(has_option(t, o) for t in texts.values())
            ]
    assert not unknown


def options(text):
    return re.findall(r"(?<!\S)--[a-z][a-z-]*", text)


def has_option(help_text, option):
    return re.search(rf"{option}(?![\w-])", help_text) is not None


@pytest.mark.parametrize("message", ["FaceEmotion", "FaceEmotionArray"])
def test_every_field_of_the_messages_is_described(message):
    definition = (ROOT / "msg" / f"{message}.msg").read_text()
    # A type and a name; constants have a value too.
    fields = re.findall(r"^[\w/<=]+(?:\[.*?\])? +([a-z]\w*) *(?:#.*)?$", definition, re.MULTILINE)
    rows = table(ROOT / "docs" / "ros-api.md", f"field of `{message}`")
    assert sorted(names_in(row[0] for row in rows)) == sorted(fields)


def test_every_value_of_the_diagnostics_is_described(perception, client, camera, namespace):
    topic = client.collect(DiagnosticArray, "/diagnostics")

    def keys():
        statuses = [s for m in topic.messages for s in m.status]
        mine = [s for s in statuses if s.name.startswith(f"{namespace[1:]}/perception_node:")]
        return {entry.key for entry in mine[-1].values} if mine else set()

    camera.ask(smiling_face())
    assert client.spin_until(lambda: "total p50 (ms)" in keys())
    page = ROOT / "docs" / "ros-api.md"
    described = set(names_in(row[0] for row in table(page, "value of the status")))
    of_stages = {key for key in described if key.startswith("STAGE ")}
    for stage in names_in(row[0] for row in table(page, "stage")):
        described |= {key.replace("STAGE", stage) for key in of_stages}
    assert keys() == described - of_stages


def test_the_policy_is_described(tmp_path):
    page = ROOT / "docs" / "behavior.md"
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    example = tmp_path / "first.yaml"
    example.write_text(text)
    subprocess.run([BIN_DIR / "rapport", "policy", example], check=True, capture_output=True)

    def described(header):
        return set(names_in(cell for row in table(page, header) for cell in row))

    for policy in (
        yaml.safe_load(text),
        yaml.safe_load((ROOT / "config" / "policy.yaml").read_text()),
    ):
        assert set(policy) <= described("key of the file")
        assert set(policy["manners"]) <= described("key of `manners`")
        for rule in policy["rules"]:
            keys = {*rule, *rule.get("answer", {})}
            assert keys <= described("key of a rule"), rule["name"]
            assert set(rule["when"]) <= described("key of `when`"), rule["name"]


def test_every_key_of_a_report_is_described(tmp_path):
    for label, picture in (("happy", "astronaut.jpg"), ("neutral", "hopper.jpg")):
        (tmp_path / "people" / label).mkdir(parents=True)
        shutil.copy(ROOT / "tests" / "pictures" / picture, tmp_path / "people" / label)
    out = tmp_path / "out"
    subprocess.run([BIN_DIR / "rapport", "evaluate", tmp_path / "people", "-o", out], check=True)
    report = json.loads((out / "report.json").read_text())
    page = ROOT / "docs" / "evaluation.md"
    rows = table(page, "key of `report.json`")
    assert sorted(names_in(row[0] for row in rows)) == sorted(report)
    rows = table(page, "key of each model")
    always = {n for row in rows if "only)" not in row[1] for n in names_in(row[:1])}
    assert always <= set(report["models"][0]) <= set(names_in(row[0] for row in rows))


def test_accuracy_is_the_same_in_readme_page_and_card():
    in_readme = table(README, "network")
    on_page = [row for row in table_below(ROOT / "docs" / "accuracy.md", "## FER+")]
    for row in in_readme:
        (network,) = names_in(row[:1])[:1]
        (same,) = [r for r in on_page if names_in(r[:1])[:1] == [network]]
        assert row[-4:] == same[-4:], network
        card = ROOT / "models" / network.replace(".onnx", ".md")
        if network.endswith(".onnx") and card.exists():
            known = [n.replace(",", "") for n in numbers(card.read_text())]
            for number in numbers(" ".join(row[-4:])):
                decimals = len(number.partition(".")[2])
                assert any(f"{float(n):.{decimals}f}" == number for n in known), (network, number)


def table_below(page, heading):
    """The rows of the first table below a heading."""
    text = page.read_text()
    below = text[text.index(f"\n{heading}") :]
    block = re.search(r"^\|.*?(?=^$)", below, re.MULTILINE | re.DOTALL)[0]
    return [[c.strip() for c in line.strip("|").split("|")] for line in block.splitlines()[2:]]


def test_speed_in_the_readme_is_that_of_the_page():
    text = README.read_text()
    section = text[text.index("\n## Speed") : text.index("\n## Limits")]
    known = set(numbers((ROOT / "docs" / "performance.md").read_text()))
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| ")][1:]
    figures = [number for row in rows for number in numbers(row[2])]
    assert figures and set(figures) <= known

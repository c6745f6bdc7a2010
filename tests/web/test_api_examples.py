"""Every example of docs/api.md works as it stands there, on a real server."""

import base64
import json
import re
import subprocess
import sys

from web_server import ROOT, WebServer

PICTURES = ROOT / "tests" / "pictures"
PAGE = (ROOT / "docs" / "api.md").read_text()
ADDRESS = "127.0.0.1:8080"


def examples(language, server):
    """The code blocks of a language, at this server's address."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert blocks, language
    return [block.replace(f"http://{ADDRESS}", server.address) for block in blocks]


def run(*command, cwd=PICTURES):
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=True, timeout=60
    ).stdout


# `set -e`: the first that fails ends the example.
SHELL = 'curl() { command curl --fail-with-body --silent --show-error "$@"; }; set -e\n'


def labels(report):
    return [face["label"] for face in report["faces"]]


def test_curl(server):
    blocks = [block for block in examples("sh", server) if "journal/" not in block]
    one, several, why, rest = (run("bash", "-c", SHELL + block) for block in blocks)
    assert [labels(report) for report in json.loads(one)] == [["happy"]]
    reports = json.loads(several)
    assert [report["picture"] for report in reports] == ["astronaut.jpg", "hopper.jpg"]
    assert [labels(report) for report in reports] == [["happy"], ["neutral"]]
    (face,) = json.loads(why)["faces"]
    assert face["heat"]["label"] == "happy"
    assert (
        '"status":"ok"' in rest and "rapport_pictures_total" in rest and '{"paused":false}' in rest
    )


def test_curl_of_the_journal(tmp_path):
    options = ["--journal", tmp_path / "journal.db", "--place", "lobby"]
    server = WebServer(tmp_path / "server.log", options)
    try:
        (block,) = (block for block in examples("sh", server) if "journal/" in block)
        said = run("bash", "-c", SHELL + block, cwd=tmp_path)
    finally:
        server.stop()
    assert said == '[]{"place":"lobby","rating":5,"pause_secs":5}'
    assert (tmp_path / "visits.csv").read_text().startswith("place,from_utc,to_utc,visits,")


def test_the_keys_of_a_report_are_described(server):
    (report,) = json.loads(run("bash", "-c", examples("sh", server)[0]))
    (face,) = report["faces"]
    described = set(re.findall(r"`(\w+)`", PAGE[: PAGE.index("## Why")]))
    assert {*report, *face, *face["roi"]} <= described


def test_python(server):
    picture, events = (run(sys.executable, "-c", block) for block in examples("python", server))
    assert re.fullmatch(r"happy 0\.\d+|happy 1\.0", picture.split(" {")[0])
    assert events.strip() == "hello"


def test_javascript(server, open_page):
    page = open_page(f"{server.address}/api")
    analyze, live = (
        block.replace(f"ws://{ADDRESS}", server.address.replace("http", "ws", 1))
        for block in examples("javascript", server)
    )
    call = f"""async ([base64, type]) => {{
        {analyze}
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        return analyze(new Blob([bytes], {{ type }})).catch((error) => error.message);
    }}"""
    picture = base64.b64encode((PICTURES / "astronaut.jpg").read_bytes()).decode()
    (face,) = page.evaluate(call, [picture, "image/jpeg"])
    assert re.fullmatch(r"happy [01]\.\d\d", face)
    assert page.evaluate(call, [picture, "text/plain"]).startswith("Content-Type is text/plain")
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate(f"async () => {{\n{live}\n}}")
    page.wait_for_timeout(200)
    assert said[0].startswith("hello angry disgust")
    assert said[1] == "observation 640 480 0"

"""The command `rapport` of the wheel: the program's commands but those that need ROS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request

from conftest import PICTURES

COMMANDS = "adapt analyze evaluate feedback journal policy record rehearse serve".split()


def test_help_lists_the_commands_that_need_no_ros(command):
    text = subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in text.splitlines() if line.startswith("  ")][:9] == COMMANDS
    assert "Usage: rapport <COMMAND>" in text
    assert "replay" not in text and "watch" not in text
    assert subprocess.run([command, "--version"], capture_output=True).stdout.startswith(
        b"rapport 0."
    )


def test_exit_statuses_are_those_of_the_program(command, tmp_path):
    def run(*arguments):
        return subprocess.run([command, *arguments], capture_output=True, text=True, cwd=tmp_path)

    picture, text = PICTURES / "astronaut.jpg", tmp_path / "text.jpg"
    text.write_text("no picture")
    assert run("analyze", picture).returncode == 0
    assert run("analyze", picture, text).returncode == 3
    refused = run("analyze", text)
    assert refused.returncode == 1 and "text.jpg" in refused.stderr
    assert run("analyze", "--nonsense").returncode == 2
    assert run().returncode == 2


def test_a_recording_is_labelled_and_evaluated(command, rapport, corridor, tmp_path):
    out = tmp_path / "out"
    subprocess.run([command, "record", corridor, out], check=True, capture_output=True)
    bag = rapport.read_bag(out)
    counts = {topic.type: topic.message_count for topic in bag.topics}
    assert counts["rapport/msg/FaceEmotionArray"] == 30
    report = tmp_path / "report"
    line = [command, "evaluate", corridor, "--label-topic", "/label", "--output", report]
    assert subprocess.run(line, capture_output=True).returncode == 0
    said = json.loads((report / "report.json").read_text())["provenance"]["command"]
    assert said[:2] == ["rapport", "evaluate"]


def test_ctrl_c_ends_the_server(command, tmp_path):
    process = subprocess.Popen(
        [command, "serve", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    )
    try:
        address = next(
            word for line in process.stdout for word in line.split() if "http://" in word
        )
        with urllib.request.urlopen(address, timeout=20) as page:
            assert b"<title>" in page.read()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()

"""The live page of a dashboard_node in a real browser: a robot at work, paused, and silent."""

import re

import numpy as np
from playwright.sync_api import expect

from fake_camera import two_people
from robot import POLICY

LAST_MS = 30_000


def test_a_robot_at_work_paused_and_silent(
    start, dashboard, stream, namespace, tmp_path, open_page, screenshot
):
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    perception = start("perception_node", {"horizontal_fov_deg": 60.0})
    start("behavior_node", {"policy_file": policy})
    _, address = dashboard()
    # Who is there before the robot sees anything sees what it does.
    page = open_page(address)
    robot = page.get_by_role("button", name=namespace)
    expect(robot).to_have_attribute("aria-pressed", "true")
    stream(np.asarray(next(two_people())))
    happy = page.locator('.person[data-label="happy"]:not(.gone)')
    expect(happy).to_have_count(1, timeout=LAST_MS)
    # Where she is and whether she attends, once that is judged.
    where = re.compile(r"\d\.\d m away · (begins to attend|attends)")
    expect(happy.locator(".card-where")).to_have_text(where, timeout=LAST_MS)
    expect(page.locator(".log-item")).to_contain_text("says “Hello.”", timeout=LAST_MS)
    expect(page.locator(".log-item")).to_contain_text("because happy at")
    expect(page.locator(".facts")).to_contain_text("policy.yaml")
    expect(page.locator(".facts")).to_contain_text("smile-back")
    expect(page.locator(".status-state")).to_have_text("Running", timeout=LAST_MS)
    expect(page.locator(".status-numbers")).to_have_text(re.compile(r"\d+\.\d/s.*ms a picture"))
    # The picture itself, and what is drawn over it.
    drawn = """selector => {
        const canvas = document.querySelector(selector);
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, i) => i % 4 === 3 && value > 0).length;
    }"""
    page.wait_for_function(f"({drawn})('.stage canvas') > 10000")
    page.wait_for_function(f"({drawn})('.stage-marks') > 500")
    page.wait_for_timeout(5_000)
    screenshot(page, "robot")

    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".note")).to_contain_text("perception is paused", timeout=LAST_MS)
    page.get_by_role("button", name="Resume").last.click()
    expect(page.locator(".note")).not_to_contain_text("perception is paused", timeout=LAST_MS)
    expect(happy).to_have_count(1, timeout=LAST_MS)

    perception.stop()
    expect(page.locator(".note")).to_contain_text("it ended", timeout=LAST_MS)
    expect(page.locator(".note")).to_contain_text("The robot is silent")

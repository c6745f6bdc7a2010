"""How many pictures a second the live page shows, and how long a picture takes to the screen.

Headless Chromium and `rapport serve` on the same machine, as on a laptop; the camera is a video of
640x480 in which one person sways. The figures are those of the page's own status line: from the
moment when a picture is taken out of the camera's video to the drawing of its marks. Run it with
`make bench` on a machine that does nothing else.
"""

import argparse
import os
import re
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "web")]

from browser import HOW_TO_GET, find_chromium  # noqa: E402
from fake_camera import one_person, two_people, write_mjpeg  # noqa: E402
from web_server import WebServer  # noqa: E402

SCENES = {"one face": one_person, "two faces": two_people}
WARM_UP_SECS = 4


def measure(playwright, chromium, address, frames, secs):
    """Medians of pictures a second and of ms from picture to screen."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "camera.mjpeg"
        write_mjpeg(video, frames)
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={video}",
            ],
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-US")
        page.goto(address)
        page.locator(".note button").click()
        page.locator(".person").first.wait_for()
        page.wait_for_timeout(WARM_UP_SECS * 1000)
        rates, times_ms = [], []
        for _ in range(secs):
            page.wait_for_timeout(1000)
            line = page.locator(".status-numbers").inner_text()
            rates.append(float(re.search(r"([\d.]+)/s", line)[1]))
            times_ms.append(float(re.search(r"([\d.]+) ms", line)[1]))
        browser.close()
    return statistics.median(rates), statistics.median(times_ms)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secs", type=int, default=20, help="seconds measured for each scene (20)")
    secs = parser.parse_args().secs
    if secs < 1:
        parser.error(f"--secs is {secs}, expected at least 1")
    chromium = find_chromium()
    if chromium is None:
        print(f"live page: not measured: {HOW_TO_GET}")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = WebServer(Path(folder) / "serve.log")
        try:
            for name, frames in SCENES.items():
                rate, time_ms = measure(playwright, chromium, server.address, frames(), secs)
                print(
                    f"live page, {name}, 640x480: {rate:.1f} pictures a second, "
                    f"p50 {time_ms:.0f} ms from picture to screen"
                )
        finally:
            server.stop()
    print(f"load {os.getloadavg()[0]:.1f} after the run")


if __name__ == "__main__":
    main()

"""Fixtures of the browser tests: a server, a browser with a fake camera, and pages that are watched.

Everything is real but the camera: Chromium plays a video of photographs in its place.
"""

import os

import pytest

from browser import HOW_TO_GET, find_chromium
from fake_camera import two_people, write_mjpeg
from web_server import WebServer


def pytest_addoption(parser):
    parser.addoption(
        "--screenshots",
        metavar="FOLDER",
        help="write the screenshots of README and docs to this folder (pytest tests/web)",
    )


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW_TO_GET)
    return path


@pytest.fixture(scope="session")
def playwright(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def launch(playwright, chromium, tmp_path_factory):
    """Launches a browser: `launch(frames)` with a camera that shows them, `launch(None)` with none."""
    browsers = []

    def launch(frames, *arguments, allowed=True):
        flags = ["--use-fake-device-for-media-stream", *arguments]
        if frames is None:
            flags[0] += "=device-count=0"
        else:
            video = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
            write_mjpeg(video, frames)
            flags.append(f"--use-file-for-fake-video-capture={video}")
        if allowed:
            flags.append("--use-fake-ui-for-media-stream")
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        browsers.append(browser)
        return browser

    yield launch
    for browser in browsers:
        browser.close()


@pytest.fixture(scope="session")
def browser(launch):
    """A browser whose camera shows a smiling and a stern face."""
    return launch(two_people())


@pytest.fixture
def open_page(browser, request):
    """Opens a page: `open_page(address, phone=True, scheme="dark", language="de-DE")`.

    At the end of the test: no page reported an error, broke the Content-Security-Policy, or asked
    another machine for anything.
    """
    contexts, troubles, asked = [], [], []

    def open_page(address, *, scheme="light", language="en-US", phone=False, size=None, using=None):
        shape = (
            {
                "viewport": {"width": 390, "height": 844},
                "device_scale_factor": 2,
                "is_mobile": True,
                "has_touch": True,
            }
            if phone
            else {"viewport": {"width": size[0], "height": size[1]}}
            if size
            else {"viewport": {"width": 1440, "height": 900}}
        )
        context = (using or browser).new_context(color_scheme=scheme, locale=language, **shape)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console", lambda m: troubles.append(m.text) if "Security Policy" in m.text else None
        )
        page.on("request", lambda request: asked.append((page.url, request.url)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not troubles
    for _, url in asked:
        assert url.startswith(("http://127.0.0.1:", "http://rapport.test:", "blob:", "data:")), url


@pytest.fixture
def serve(tmp_path):
    """Starts a server: `serve("--option", ...)`."""
    servers = []

    def serve(*options, port=0):
        server = WebServer(tmp_path / f"serve_{len(servers)}.log", options, port)
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.stop()
        print(f"--- output of {server.log.stem}\n{server.log.read_text()}")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server with the defaults, for all tests that do not change it."""
    server = WebServer(tmp_path_factory.mktemp("serve") / "serve.log")
    yield server
    server.stop()


@pytest.fixture
def screenshot(request):
    """Writes a screenshot for the docs, if the option is given: `screenshot(page, "live")`."""
    folder = request.config.getoption("--screenshots", default=None)

    def screenshot(page, name, **options):
        if folder:
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, f"web-{name}.jpg")
            page.screenshot(path=path, type="jpeg", quality=78, **options)
            assert os.path.getsize(path) < 200_000, path

    return screenshot

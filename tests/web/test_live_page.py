"""The live page in a real browser, with this device's camera."""

import re
import time

import pytest
from playwright.sync_api import expect

from fake_camera import two_people

LAST_MS = 15_000


def start(page):
    page.locator(".note button").click()
    return page


def card(page, label):
    return page.locator(f'.person[data-label="{label}"]:not(.gone)')


def both_seen(page):
    expect(card(page, "happy")).to_have_count(1, timeout=LAST_MS)
    expect(card(page, "neutral")).to_have_count(1, timeout=LAST_MS)


def status(page):
    return page.locator(".status-state")


def marked_pixels(page):
    """How much of the canvas over the picture is drawn on: on the left and on the right half."""
    return page.evaluate(
        """() => {
            const canvas = document.querySelector(".stage-marks");
            const { data, width } = canvas.getContext("2d")
                .getImageData(0, 0, canvas.width, canvas.height);
            const halves = [0, 0];
            for (let i = 3; i < data.length; i += 4)
                if (data[i]) halves[((i >> 2) % width) < width / 2 ? 0 : 1]++;
            return halves;
        }"""
    )


def test_faces_appear_with_their_expressions(open_page, server, screenshot):
    page = start(open_page(server.address))
    both_seen(page)
    happy = card(page, "happy")
    expect(happy.locator(".card-label")).to_have_text("happy")
    expect(happy.locator(".card-certainty")).to_have_text(re.compile(r"^\d+%$"))
    expect(happy.locator(".card-time")).to_have_text(re.compile(r"in view \d+ s"))
    expect(happy.locator(".bar-row")).to_have_count(8)
    valence = happy.locator(".affect").get_attribute("aria-label")
    assert re.fullmatch(r"valence \+0\.\d, arousal \+0\.\d", valence)
    expect(status(page)).to_have_text("Running")
    expect(page.locator(".status-numbers")).to_have_text(re.compile(r"\d+\.\d/s.*\d+ ms.*640×480"))
    left, right = marked_pixels(page)
    assert left > 500 and right > 500
    # The strips of the last minute: one for each face.
    expect(page.locator(".strip")).to_have_count(2)
    expect(page.locator('.strip[aria-label*="mostly happy"]')).to_have_count(1)
    page.wait_for_timeout(6_000)
    screenshot(page, "live")


def test_marks_are_mirrored_with_the_picture(open_page, server):
    page = start(open_page(server.address))
    both_seen(page)
    expect(page.locator("video.mirrored")).to_have_count(1)
    # The smiling face, on the left half of the camera's picture, is seen on the right.
    colors = """() => {
        const canvas = document.querySelector(".stage-marks");
        const { data, width } = canvas.getContext("2d")
            .getImageData(0, 0, canvas.width, canvas.height);
        let sum = 0, count = 0;
        for (let i = 0; i < data.length; i += 4)
            if (data[i + 3] > 200 && data[i] < 30 && data[i + 1] > 90 && data[i + 2] > 80)
                (sum += (i >> 2) % width, count++);
        return count ? sum / count / width : null;
    }"""
    page.wait_for_function(f"({colors})() > 0.5")
    page.get_by_role("button", name="Mirror the picture").click()
    page.wait_for_function(f"(() => {{ const x = ({colors})(); return x !== null && x < 0.5; }})()")


def test_stop_means_stop(open_page, server):
    page = open_page(server.address)
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket))
    start(page)
    both_seen(page)
    page.evaluate("window.track = document.querySelector('video').srcObject.getTracks()[0]")
    assert page.evaluate("window.track.readyState") == "live"
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Use this device's camera")).to_be_visible()
    assert page.evaluate("window.track.readyState") == "ended"
    assert page.evaluate("document.querySelector('video').srcObject") is None
    expect(page.locator(".person")).to_have_count(0)
    assert len(sockets) == 1
    page.wait_for_timeout(300)
    assert sockets[0].is_closed()
    assert server.ask("health")[1]["sessions"] == 0
    # And it can begin again.
    start(page)
    both_seen(page)


def test_a_hidden_page_sends_nothing(open_page, server):
    page = open_page(server.address)
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(data)))
    start(page)
    both_seen(page)
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(500)
    before = len(sent)
    page.wait_for_timeout(1_000)
    assert len(sent) == before
    page.evaluate(hide, False)
    deadline = time.monotonic() + 10
    while len(sent) < before + 4 and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert len(sent) >= before + 4


def test_one_picture_is_on_its_way_at_a_time(open_page, server):
    page = open_page(server.address)
    waiting, most = [0], [0]

    def watch(socket):
        def sent(data):
            # Before each picture; what is binary the browser does not tell.
            if '"type":"picture"' in str(data):
                waiting[0] += 1
                most[0] = max(most[0], waiting[0])

        def received(data):
            if '"type":"observation"' in str(data):
                waiting[0] -= 1
            assert '"type":"problem"' not in str(data)

        socket.on("framesent", sent)
        socket.on("framereceived", received)

    page.on("websocket", watch)
    start(page)
    both_seen(page)
    page.wait_for_timeout(2_000)
    assert most[0] == 1


def test_two_viewers_see_their_own_faces(open_page, server):
    pages = [start(open_page(server.address)) for _ in range(2)]
    for page in pages:
        both_seen(page)
    assert server.ask("health")[1]["sessions"] == 2
    pages[0].get_by_role("button", name="Stop").click()
    pages[1].wait_for_timeout(1_000)
    both_seen(pages[1])


def test_the_page_comes_back_when_the_server_does(open_page, serve):
    server = serve()
    page = start(open_page(server.address))
    both_seen(page)
    server.stop()
    expect(page.locator(".note-title")).to_have_text("Connection lost", timeout=LAST_MS)
    expect(status(page)).to_have_text("Connection lost")
    server.restart()
    expect(page.locator(".stage.has-note")).to_have_count(0, timeout=LAST_MS)
    both_seen(page)
    expect(status(page)).to_have_text("Running")


def test_a_page_opened_before_the_server_answers_waits(open_page, serve):
    server = serve()
    page = open_page(server.address)
    expect(page.locator(".note-title")).to_be_visible()
    page.route("**/api/v1/info", lambda route: route.abort())
    page.reload()
    expect(page.locator(".waiting")).to_have_text("Rapport does not answer.")
    page.unroute("**/api/v1/info")
    expect(page.locator(".note-title")).to_be_visible(timeout=LAST_MS)


def test_a_pause_is_seen_by_everybody(open_page, serve):
    server = serve()
    pages = [start(open_page(server.address)) for _ in range(2)]
    for page in pages:
        both_seen(page)
    pages[0].get_by_role("button", name="Pause for everybody").click()
    for page in pages:
        expect(page.locator(".note-title")).to_have_text("Paused for everybody")
        expect(status(page)).to_have_text("Paused")
    pages[1].locator(".note button").click()
    for page in pages:
        expect(page.locator(".stage.has-note")).to_have_count(0)
        both_seen(page)


def test_without_a_camera_it_says_so(open_page, server, launch):
    page = start(open_page(server.address, using=launch(None)))
    expect(page.locator(".note-title")).to_have_text("No camera found")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_without_permission_it_says_so(open_page, server, launch):
    page = start(open_page(server.address, using=launch(two_people(), allowed=False)))
    expect(page.locator(".note-title")).to_have_text("This page may not use the camera")


def test_a_camera_that_ends_by_itself_is_noticed(open_page, server):
    page = start(open_page(server.address))
    both_seen(page)
    # What the browser does when a camera is unplugged.
    page.evaluate(
        """() => {
            const [track] = document.querySelector("video").srcObject.getTracks();
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }"""
    )
    expect(page.locator(".note-title")).to_have_text("The camera is gone")
    assert server.ask("health")[1]["sessions"] == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(open_page, server, screenshot, scheme):
    page = open_page(server.address, phone=True, scheme=scheme, language="de-DE")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("button", name="Kamera dieses Geräts verwenden").click()
    both_seen(page)
    expect(card(page, "happy").locator(".card-label")).to_have_text("fröhlich")
    # Nothing is wider than the phone; the picture is on top, the navigation at the bottom.
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = {
        name: page.locator(selector).first.bounding_box()
        for name, selector in (("picture", ".stage"), ("card", ".person"), ("nav", ".nav"))
    }
    assert boxes["picture"]["y"] < 100
    assert boxes["picture"]["y"] + boxes["picture"]["height"] < boxes["card"]["y"]
    assert boxes["nav"]["y"] + boxes["nav"]["height"] == pytest.approx(844, abs=1)
    for target in page.locator("button:visible, .nav-link:visible, select:visible").all():
        box = target.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44, target.inner_text()
    page.wait_for_timeout(4_000)
    screenshot(page, f"phone-{scheme}")


def test_dark_desktop(open_page, server, screenshot):
    page = start(open_page(server.address, scheme="dark"))
    both_seen(page)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(18, 19, 22)"
    )
    page.wait_for_timeout(4_000)
    screenshot(page, "live-dark")


def test_a_screen_reader_hears_of_changes_and_no_more(open_page, server):
    page = start(open_page(server.address))
    both_seen(page)
    page.evaluate(
        """() => {
            window.told = [];
            const region = document.querySelector(".minute [role=status]");
            new MutationObserver(() => window.told.push(region.textContent))
                .observe(region, { childList: true, characterData: true, subtree: true });
            if (region.textContent) window.told.push(region.textContent);
        }"""
    )
    page.wait_for_timeout(7_000)
    told = page.evaluate("window.told")
    assert 1 <= len(told) <= 2
    assert "shows happy" in " ".join(told) and "shows neutral" in " ".join(told)


def test_less_motion_is_respected(open_page, server):
    page = open_page(server.address)
    page.emulate_media(reduced_motion="reduce")
    start(page)
    both_seen(page)
    moving = "getComputedStyle(document.querySelector('.bar')).transitionDuration"
    assert page.evaluate(moving) == "0s"


def test_the_first_paint_is_small(open_page, server):
    page = open_page(server.address)
    expect(page.locator(".note-title")).to_be_visible()
    sizes = page.evaluate(
        """() => [...performance.getEntriesByType("navigation"),
                  ...performance.getEntriesByType("resource")].map(e => [e.name, e.transferSize])"""
    )
    total = sum(size for _, size in sizes)
    assert 5_000 < total < 100_000, sizes

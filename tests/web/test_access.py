"""Who may use the pages: tokens, a full server, and settings that keep pictures back."""

import json
import subprocess

import pytest
from playwright.sync_api import expect

from fake_camera import two_people
from web_server import PROGRAM

LAST_MS = 15_000


@pytest.fixture
def guarded(serve, tmp_path):
    """A server that asks for tokens, and its tokens by role."""
    folder = tmp_path / "state"
    server = serve("--tokens", "--state-dir", folder)
    command = [PROGRAM, "serve", "--state-dir", folder, "--show-tokens"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    tokens = dict(line.split() for line in printed.splitlines())
    assert set(tokens) == {"operator", "viewer", "rating"}
    return server, tokens


def sign_in(page, token):
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def test_a_token_is_asked_for_and_the_wanted_page_follows(open_page, guarded):
    server, tokens = guarded
    page = open_page(f"{server.address}/pictures")
    expect(page.get_by_label("Token")).to_be_focused()
    assert "/sign-in" in page.url
    sign_in(page, "not-a-token")
    expect(page.get_by_role("alert")).to_contain_text("not known")
    sign_in(page, tokens["operator"])
    expect(page.locator(".drop")).to_be_visible()
    assert page.url == f"{server.address}/pictures"
    # The token is in no address and where no script of a page can read it.
    assert tokens["operator"] not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
    page.goto(server.address)
    page.locator(".note button").click()
    expect(page.locator(".person")).to_have_count(2, timeout=LAST_MS)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto(server.address)
    expect(page.get_by_label("Token")).to_be_visible()


def test_who_was_signed_out_meanwhile_comes_to_sign_in(open_page, guarded):
    server, tokens = guarded
    page = open_page(server.address)
    sign_in(page, tokens["viewer"])
    page.locator(".note button").click()
    expect(page.locator(".person")).to_have_count(2, timeout=LAST_MS)
    page.context.clear_cookies()
    server.stop()
    server.restart()
    expect(page.get_by_label("Token")).to_be_visible(timeout=LAST_MS)


def test_after_signing_in_only_pages_of_this_server_follow(open_page, guarded):
    server, tokens = guarded
    page = open_page(f"{server.address}/sign-in?next=//example.org/notice")
    sign_in(page, tokens["viewer"])
    page.wait_for_url(f"{server.address}/")


def test_viewers_cannot_pause(open_page, guarded):
    server, tokens = guarded
    page = open_page(server.address)
    sign_in(page, tokens["viewer"])
    expect(page.locator(".note-title")).to_be_visible()
    expect(page.get_by_role("button", name="Pause for everybody")).to_have_count(0)


def test_a_tablet_for_ratings_sees_nothing_else(open_page, guarded):
    server, tokens = guarded
    for path in ("/", "/pictures"):
        page = open_page(server.address + path)
        sign_in(page, tokens["rating"])
        expect(page.locator(".waiting")).to_have_text("This device is set up for ratings only.")


def test_a_full_server_says_so_and_takes_the_next_when_it_can(open_page, serve):
    server = serve("--live-sessions", 1)
    pages = [open_page(server.address) for _ in range(2)]
    pages[0].locator(".note button").click()
    expect(pages[0].locator(".person")).to_have_count(2, timeout=LAST_MS)
    pages[1].locator(".note button").click()
    expect(pages[1].locator(".note-title")).to_have_text("Rapport is busy")
    pages[0].get_by_role("button", name="Stop").click()
    expect(pages[1].locator(".person")).to_have_count(2, timeout=30_000)


@pytest.mark.parametrize("option", ["--blur-faces", "--numbers-only"])
def test_pictures_are_kept_back(open_page, serve, option, launch):
    server = serve(option)
    page = open_page(server.address)
    page.locator(".note button").click()
    expect(page.locator(".person")).to_have_count(2, timeout=LAST_MS)
    video = page.locator("video")
    # At the end of a transition.
    blurred = option == "--blur-faces"
    expect(video).to_have_css("filter", "blur(22px)" if blurred else "none")
    expect(video).to_have_css("opacity", "1" if blurred else "0")


def test_the_sign_says_what_the_settings_say(open_page, serve, tmp_path):
    notice = tmp_path / "notice.json"
    content = {"operator": "Hotel Adler", "purpose": "<b>To greet</b>", "contact": "front desk"}
    notice.write_text(json.dumps(content))
    page = open_page(f"{serve('--notice', notice).address}/notice")
    sign = page.locator(".sign")
    for text in content.values():
        expect(sign).to_contain_text(text)


def test_the_camera_needs_a_secure_address(open_page, serve, launch):
    server = serve("--host", "rapport.test")
    browser = launch(two_people(), "--host-resolver-rules=MAP rapport.test 127.0.0.1")
    page = open_page(f"http://rapport.test:{server.port}/", using=browser)
    page.locator(".note button").click()
    expect(page.locator(".note-title")).to_have_text("The camera needs a secure address")
    expect(page.locator(".note-text")).to_contain_text("https://")

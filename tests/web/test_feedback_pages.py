"""The consent page and the review page: what a person and an operator do there, and what is kept."""

import json
import re
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from web_server import ROOT

PROGRAM = ROOT / "target" / "release" / "rapport"
CODE = re.compile(r"([a-z2-9]{4}-){2}[a-z2-9]{4}")
# A face is read every second here, and one reading in four is drawn at least.
LONG_MS = 90_000


@pytest.fixture(scope="session")
def one_face(launch):
    """A browser whose camera shows one smiling face."""
    from fake_camera import one_person

    return launch(one_person())


@pytest.fixture
def kept(serve, tmp_path):
    """A server that keeps faces, and their folder."""
    folder, key = tmp_path / "feedback", tmp_path / "keys" / "feedback.key"
    notice = tmp_path / "notice.json"
    notice.write_text(json.dumps({"operator": "Hotel Anna", "contact": "privacy@hotel.example"}))
    server = serve(
        *("--feedback", folder, "--feedback-key", key, "--feedback-every", 1),
        *("--notice", notice, "--place", "lobby"),
    )
    server.folder, server.key = folder, key
    return server


def faces(server):
    return sorted((server.folder / "faces").glob("*.age"))


def agree(page, count=1):
    """Consents, and waits until so many pictures are kept; the code."""
    page.get_by_role("button", name="Yes, keep pictures of my face").click()
    code = page.locator("#code").inner_text(timeout=LONG_MS)
    assert CODE.fullmatch(code)
    page.wait_for_function(
        "n => parseInt(document.querySelector('.consent-count')?.textContent) >= n"
        " || (n === 1 && /One/.test(document.querySelector('.consent-count')?.textContent))",
        arg=count,
        timeout=LONG_MS,
    )
    return code


def check_axe(page):
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_a_person_consents_stops_and_withdraws(open_page, one_face, kept):
    page = open_page(f"{kept.address}/consent", using=one_face, size=(1180, 820))
    expect(page.get_by_role("button", name="No, thank you")).to_be_visible()
    facts = page.locator(".consent-facts").inner_text()
    for fact in (
        "Hotel Anna",
        "privacy@hotel.example",
        "30 days",
        "60 times a minute",
        "10 minutes",
    ):
        assert fact in facts, facts
    check_axe(page)
    # Until somebody taps, no camera runs and nothing is kept.
    assert page.locator("video").count() == 0
    assert not list(kept.folder.glob("consents/*"))
    code = agree(page)
    expect(page.locator(".consent-view")).to_have_text("You are in view.")
    check_axe(page)
    assert faces(kept)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading")).to_have_text("No more pictures are kept")
    expect(page.locator("#code")).to_have_text(code)
    count = len(faces(kept))
    assert count
    page.get_by_role("button", name="Done").click()
    # The next person does not see the code.
    expect(page.locator("#code")).to_have_count(0)
    page.get_by_role("button", name="I have a code").click()
    field = page.get_by_label("Your code")
    field.fill("abcd")
    page.get_by_role("button", name="Delete everything of mine").click()
    expect(page.get_by_role("alert")).to_contain_text("twelve letters and digits")
    field.fill("aaaa aaaa aaaa")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is kept under this code")
    check_axe(page)
    assert len(faces(kept)) == count
    field.fill(code.upper().replace("-", " "))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("Deleted")
    assert not faces(kept) and not list(kept.folder.glob("items/*"))
    assert code not in kept.log.read_text()


def test_a_picture_is_kept_every_15_seconds_at_most_unless_asked(
    open_page, serve, tmp_path, screenshot
):
    options = ("--feedback", tmp_path / "feedback", "--feedback-key", tmp_path / "keys" / "key")
    server = serve(*options, "--feedback-days", 7)
    page = open_page(f"{server.address}/consent", size=(1180, 820))
    facts = page.locator(".consent-facts")
    expect(facts).to_contain_text("at most 4 times a minute")
    expect(facts).to_contain_text("deleted after 7 days")
    expect(facts).to_contain_text("through the staff")
    screenshot(page, "consent")


def test_no_is_no_and_others_in_view_are_not_kept(open_page, kept):
    page = open_page(f"{kept.address}/consent", phone=True, scheme="dark")
    page.get_by_role("button", name="No, thank you").click()
    expect(page.get_by_role("heading")).to_have_text("That is fine")
    assert not list(kept.folder.glob("consents/*"))
    page.get_by_role("button", name="Back").click()
    # The camera of this browser shows two people.
    page.get_by_role("button", name="Yes, keep pictures of my face").click()
    expect(page.locator(".consent-view")).to_have_text(
        "Somebody else is in view: nothing is kept.", timeout=LONG_MS
    )
    expect(page.get_by_role("heading")).to_have_text("No more pictures are kept", timeout=LONG_MS)
    assert not faces(kept)


def test_an_operator_reviews_by_keys_and_empties(open_page, one_face, kept, tmp_path, screenshot):
    tablet = open_page(f"{kept.address}/consent", using=one_face)
    agree(tablet, 4)
    tablet.get_by_role("button", name="Stop").click()
    expect(tablet.get_by_role("heading")).to_have_text("No more pictures are kept")
    total = len(faces(kept))
    page = open_page(f"{kept.address}/review")
    face = page.locator(".review-face")
    expect(face).to_be_visible()
    page.wait_for_function("() => document.querySelector('.review-face').naturalWidth === 112")
    expect(page.locator(".review-reading")).to_contain_text("happy")
    expect(page.locator("[data-count=waiting]")).to_have_text(str(total))
    expect(page.locator(".share").first).to_contain_text("ten answers of ten visits")
    check_axe(page)
    screenshot(page, "review")

    def answers():
        return kept.ask("feedback")[1]["answers"]

    def press(key, done):
        page.keyboard.press(key)
        expect(page.locator("[data-count=answered]")).to_have_text(str(done))

    press("Enter", 1)
    assert answers() == {"happy": 1}
    press("t", 2)
    press("n", 3)
    assert answers() == {"happy": 1, "cant_tell": 1, "not_a_face": 1}
    # The last one was a face after all: sad, the sixth of the model's labels.
    page.keyboard.press("Backspace")
    number = kept.ask("info")[1]["labels"].index("sad") + 1
    page.keyboard.press(str(number))
    page.wait_for_function("() => document.querySelector('.review-face').complete")
    expect(page.locator("[role=status]")).to_have_text("Noted: sad")
    assert answers() == {"happy": 1, "cant_tell": 1, "sad": 1}
    # Without the reading in sight there is nothing to agree with.
    page.get_by_label("Hide the reading").check()
    expect(page.locator(".review-reading")).to_have_text("What shows here?")
    expect(page.locator("[data-answer=right]")).to_be_hidden()
    out = tmp_path / "out"
    export = [PROGRAM, "feedback", "export", kept.folder, out, "--key", kept.key]
    subprocess.run(export, check=True, capture_output=True)
    lines = [json.loads(line) for line in (out / "feedback.jsonl").read_text().splitlines()]
    assert sorted(line["answer"] for line in lines) == ["cant_tell", "happy", "sad"]
    assert {line["place"] for line in lines} == {"lobby"}
    pictures = [line["file"] for line in lines if line["file"]]
    assert len(pictures) == 2 and all((out / picture).stat().st_size for picture in pictures)
    # One button, one question.
    page.get_by_role("button", name="Delete everything").click()
    check_axe(page)
    page.get_by_role("button", name="Keep it").click()
    assert len(faces(kept)) == total
    page.get_by_role("button", name="Delete everything").click()
    page.locator("dialog").get_by_role("button", name="Delete everything").click()
    expect(page.locator(".review-nothing h2")).to_have_text("Nothing to review")
    assert not faces(kept) and not list(kept.folder.glob("*/*.json"))
    check_axe(page)


def test_the_pages_say_what_to_do_where_nothing_is_kept(open_page, server):
    page = open_page(f"{server.address}/review", scheme="dark", phone=True)
    expect(page.locator(".review-nothing")).to_contain_text("rapport serve --feedback FOLDER")
    check_axe(page)
    page = open_page(f"{server.address}/consent", language="de-DE")
    expect(page.get_by_role("heading")).to_have_text("Hier werden keine Bilder behalten")
    check_axe(page)


def test_a_viewer_does_not_see_faces(open_page, serve, tmp_path):
    folder, key, state = tmp_path / "feedback", tmp_path / "keys" / "key", tmp_path / "state"
    options = ("--feedback", folder, "--feedback-key", key, "--tokens", "--state-dir", state)
    server = serve(*options)
    token = json.loads((state / "tokens.json").read_text())["viewer"]
    page = open_page(f"{server.address}/sign-in?next=/review")
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    expect(page.locator(".review-nothing h2")).to_have_text("Only an operator reviews faces")
    assert server.ask("feedback/next")[0] == 401

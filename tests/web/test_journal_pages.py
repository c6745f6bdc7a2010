"""The pages of the journal in a real browser: History, Ratings, System, and the page for guests."""

import csv
import io
import re
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from simulated import write_weeks
from web_server import WebServer

LAST_MS = 30_000
PAGES = ["/history?place=lobby", "/ratings?place=exit", "/system?place=lobby", "/rate?place=exit"]
READY = ".chart-canvas canvas, .empty, .running-title, .rate-face, .rate-places"


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """A server that keeps a journal of which six weeks are written."""
    folder = tmp_path_factory.mktemp("kept")
    journal = folder / "journal.db"
    write_weeks(journal)
    server = WebServer(folder / "serve.log", ["--journal", journal, "--place", "lobby"])
    yield server
    server.stop()
    print(f"--- output of serve\n{server.log.read_text()}")


def journal(server, resource, **query):
    status, answer = server.ask(f"journal/{resource}?{urlencode(query)}")
    assert status == 200, answer
    return answer


def ready(page):
    page.locator(READY).first.wait_for()
    expect(page.locator("[aria-busy]")).to_have_count(0, timeout=LAST_MS)
    return page


def scope_of(page):
    """What the page asks about: what its downloads are of."""
    href = page.locator(".download a").first.get_attribute("href")
    return dict(re.findall(r"[?&](from|to|place)=([^&]*)", href))


def tile(page, figure):
    return page.locator(f'.tile[data-figure="{figure}"]')


def percent(share):
    # As the browser rounds it.
    return f"{int(100 * share + 0.5)}%"


def test_figures_are_those_of_the_api_each_with_n(open_page, kept, screenshot):
    page = ready(open_page(f"{kept.address}/history?place=lobby"))
    (of,) = journal(kept, "history", period="all", **scope_of(page))
    visits = of["visits"]
    assert visits["visits"] > 10_000
    expect(tile(page, "visits")).to_contain_text(f"{visits['visits']:,}")
    smiles = visits["smiles"]
    expect(tile(page, "smiles")).to_contain_text(percent(smiles["rate"]))
    expect(tile(page, "smiles")).to_contain_text(
        f"{percent(smiles['low'])} to {percent(smiles['high'])}"
    )
    # What rests on visits says on how many.
    for figure in ("secs_in_view", "engaged", "smiles", "valence_at_peak", "not_sure"):
        expect(tile(page, figure)).to_contain_text(f"n = {visits['visits']:,}")
    expect(tile(page, "valence_at_end")).to_contain_text(f"n = {visits['valence_at_end']['n']:,}")
    shares = page.locator("section", has=page.get_by_role("heading", name="Expressions shown"))
    expect(shares).to_contain_text(f"n = {visits['expressions']['n']:,}")
    expect(shares.locator(".bar-row", has_text="happy")).to_contain_text(
        percent(visits["expressions"]["shares"]["happy"])
    )
    page.set_viewport_size({"width": 1440, "height": 1140})
    screenshot(page, "history")


def test_another_figure_is_one_press_away(open_page, kept):
    page = ready(open_page(f"{kept.address}/history?place=lobby"))
    heading = page.locator("#chart-title")
    expect(heading).to_have_text("Visits")
    # With the keyboard, and the focus stays where it was.
    tile(page, "smiles").focus()
    page.keyboard.press("Enter")
    expect(heading).to_have_text("Smile rate")
    expect(page.locator("#hours-title")).to_have_text("Smile rate by hour and weekday")
    expect(tile(page, "smiles")).to_have_attribute("aria-pressed", "true")
    expect(tile(page, "smiles")).to_be_focused()
    # The chart is drawn, and its numbers are also a table.
    drawn = """() => {
        const canvas = document.querySelector(".chart-canvas canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, i) => i % 4 === 3 && value > 200).length;
    }"""
    page.wait_for_function(f"({drawn})() > 2000")
    page.locator(".chart .u-over").first.hover()
    expect(page.locator(".chart-readout")).to_have_text(
        re.compile(r"\d{4}: \d+% \(\d+% to \d+%\), n = \d+")
    )
    page.get_by_text("As a table").click()
    rows = page.locator(".chart-table tbody tr")
    expect(rows).to_have_count(28)
    days = journal(kept, "history", period="day", **scope_of(page))
    smiles = days[10]["visits"]["smiles"]
    position = [row["period"] for row in days].index(days[10]["period"])
    texts = [text for text in rows.locator("td").all_inner_texts() if "n = " in text]
    low, high = percent(smiles["low"]), percent(smiles["high"])
    assert texts[position] == f"{percent(smiles['rate'])} ({low} to {high}), n = {smiles['n']}"


def test_days_weeks_and_months(open_page, kept):
    page = ready(open_page(f"{kept.address}/history?place=lobby"))
    rows = page.locator(".chart-table tbody tr")
    for name, count in (("Week", 26), ("Month", 13), ("Day", 28)):
        page.get_by_role("button", name=name, exact=True).click()
        expect(rows).to_have_count(count)
        ready(page)
        by = name.lower()
        known = [of for of in journal(kept, "history", period=by, **scope_of(page)) if of["visits"]]
        assert known
        # Each period of the journal is found under its name.
        texts = page.locator(".chart-table tbody td").all_text_contents()
        assert [text for text in texts if re.match(r"[\d,]+$", text)] == [
            f"{of['visits']['visits']:,}" for of in known
        ]
    expect(page.get_by_role("button", name="Later")).to_be_disabled()
    title = page.locator(".span-title").inner_text()
    page.get_by_role("button", name="Earlier").click()
    expect(page.locator(".span-title")).not_to_have_text(title)
    expect(page.locator(".tiles")).to_be_visible()
    # The address keeps what is shown.
    assert "place=lobby" in page.url and "back=1" in page.url
    earlier = page.locator(".span-title").inner_text()
    page.reload()
    expect(ready(page).locator(".span-title")).to_have_text(earlier)


def test_a_span_without_figures_says_where_they_are(open_page, kept):
    page = ready(open_page(f"{kept.address}/history?place=lobby&back=5"))
    expect(page.locator(".empty")).to_contain_text("Nothing in this span")
    expect(page.locator(".panels")).to_be_hidden()


def test_hours_of_the_week_are_darker_where_more_happens(open_page, kept):
    page = ready(open_page(f"{kept.address}/history?place=lobby"))
    hours = journal(kept, "hours", **scope_of(page))["hours"]
    visits = [hour["visits"]["visits"] for hour in hours if hour["visits"]]
    cells = page.locator(".hour-value")
    assert sorted(int(text) for text in cells.all_inner_texts()) == sorted(visits)
    # Also without colour: the light of a cell falls as its number grows.
    shades = page.evaluate(
        """() => {
            const context = new OffscreenCanvas(1, 1).getContext("2d");
            return [...document.querySelectorAll(".hour:has(.hour-value)")].map(cell => {
                context.fillStyle = getComputedStyle(cell).backgroundColor;
                context.fillRect(0, 0, 1, 1);
                const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
                return [Number(cell.innerText), 0.2126 * r + 0.7152 * g + 0.0722 * b];
            }).sort(([a], [b]) => a - b).map(([, light]) => light);
        }"""
    )
    assert shades[0] - shades[-1] > 40
    assert all(later <= earlier + 1 for earlier, later in zip(shades, shades[1:], strict=False))
    # Where somebody looked and fewer than ten came, the cell says so.
    few = [h for h in hours if not h["visits"] and h["health"]["watched_secs"] > 0]
    found = page.locator(".hour.few .hidden-text").all_text_contents()
    assert few and found == ["Fewer than ten"] * len(few)


def test_before_and_after_new_rules(open_page, kept, screenshot):
    page = ready(open_page(f"{kept.address}/history"))
    panel = page.locator("section", has=page.locator("#comparison-title"))
    expect(panel).to_contain_text("Choose one place")
    page.get_by_label("Place").select_option("library")
    expect(panel).to_contain_text("have not changed")
    page.get_by_label("Place").select_option("lobby")
    row = panel.locator('tr[data-figure="smiles"]')
    expect(row).to_contain_text("More than before.")
    change = journal(kept, "policies", place="lobby")[1]
    found = journal(kept, "comparison", place="lobby", at=change["at_secs"], days=14)
    points = int(100 * found["smiles"]["difference"] + 0.5)
    expect(row.locator("strong").last).to_have_text(f"+{points} points")
    for side in ("before", "after"):
        expect(row).to_contain_text(f"n = {found[side]['visits']['smiles']['n']:,}")
    expect(panel.locator('tr[data-figure="secs_in_view"]')).to_contain_text("May be chance.")
    panel.scroll_into_view_if_needed()
    screenshot(page, "before-after", clip=panel.bounding_box())
    panel.get_by_role("button", name="7 days").click()
    week = journal(kept, "comparison", place="lobby", at=change["at_secs"], days=7)
    expect(row).to_contain_text(f"n = {week['before']['visits']['smiles']['n']:,}")


def test_answers_say_that_a_change_is_no_proof(open_page, kept):
    page = ready(open_page(f"{kept.address}/history?place=lobby"))
    greet = next(a for a in journal(kept, "answers", **scope_of(page)) if a["rule"] == "greet")
    row = page.locator(".answers tr", has_text="greet")
    expect(row).to_contain_text(f"{greet['visits']:,}")
    expect(row).to_contain_text(f"n = {greet['followed']['n']:,}")
    expect(page.locator("section", has=row)).to_contain_text("no proof")


def test_downloads_are_of_what_is_shown(open_page, kept):
    page = ready(open_page(f"{kept.address}/history?place=lobby"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Visits, CSV").click()
    rows = list(csv.DictReader(io.StringIO(open(download.value.path(), encoding="utf-8").read())))
    assert {row["place"] for row in rows} == {"lobby"}
    assert min(int(row["visits"]) for row in rows) >= 10
    (of,) = journal(kept, "history", period="all", **scope_of(page))
    assert sum(int(row["visits"]) for row in rows) == of["visits"]["visits"]


def test_the_file_of_parquet_is_there(open_page, kept):
    if "/api/v1/journal/export.parquet" not in kept.ask("openapi.json")[1]["paths"]:
        pytest.skip("this server writes no Parquet")
    page = ready(open_page(f"{kept.address}/history?place=lobby"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Visits, Parquet").click()
    assert open(download.value.path(), "rb").read()[:4] == b"PAR1"


def test_ratings_are_shown_with_their_number(open_page, kept, screenshot):
    page = ready(open_page(f"{kept.address}/ratings?place=exit"))
    means = page.locator(".chart-table tbody td").all_text_contents()
    assert any(re.fullmatch(r"\d\.\d\d \(\d\.\d\d to \d\.\d\d\), n = \d+", text) for text in means)
    bars = page.locator(".ratings .bar-row").all_inner_texts()
    counts = [int(re.search(r"([\d,]+) · ", bar)[1].replace(",", "")) for bar in bars]
    assert len(counts) == 5 and bars[0].startswith("very good")
    expect(tile(page, "ratings")).to_contain_text(f"{sum(counts):,}")
    mean = sum(value * count for value, count in zip((5, 4, 3, 2, 1), counts, strict=True))
    expect(tile(page, "rating")).to_contain_text(f"{mean / sum(counts):.2f}")
    screenshot(page, "ratings")
    page.get_by_label("Place").select_option("lobby")
    expect(page.locator(".empty")).to_contain_text("No ten ratings yet")
    page.get_by_role("link", name="Open the page for guests").click()
    expect(page.locator(".rate-face")).to_have_count(5)
    assert page.url == f"{kept.address}/rate?place=lobby"


def tap(page, name):
    with page.expect_response("**/api/v1/ratings") as answer:
        page.get_by_role("button", name=name, exact=True).click()
    return answer.value


def test_one_tap_thanks_and_a_pause(open_page, kept, screenshot):
    page = ready(open_page(f"{kept.address}/rate?place=library", size=(1180, 820)))
    screenshot(page, "rate")
    taken = tap(page, "very good")
    assert taken.status == 201
    assert taken.json() == {
        "place": "library",
        "rating": 5,
        "pause_secs": taken.json()["pause_secs"],
    }
    expect(page.get_by_role("heading")).to_have_text("Thank you!")
    expect(page.locator("button")).to_have_count(0)
    # The next guest, who need not touch anything before.
    expect(page.locator(".rate-face")).to_have_count(5, timeout=LAST_MS)


def test_a_second_tap_is_no_second_rating(open_page, kept):
    page = ready(open_page(f"{kept.address}/rate?place=exit"))
    assert tap(page, "bad").status == 201
    other = ready(open_page(f"{kept.address}/rate?place=exit"))
    answer = tap(other, "bad")
    # A slow machine may have let the pause pass meanwhile.
    if answer.status == 429:
        expect(other.get_by_role("heading")).to_have_text("One moment")
    else:
        assert answer.status == 201
    expect(other.locator(".rate-face")).to_have_count(5, timeout=LAST_MS)


def test_faces_can_be_chosen_by_keyboard(open_page, kept):
    page = ready(open_page(f"{kept.address}/rate?place=lobby"))
    names = []
    for _ in range(5):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.innerText"))
    assert names == ["very bad", "bad", "so-so", "good", "very good"]
    with page.expect_response("**/api/v1/ratings") as answer:
        page.keyboard.press("Enter")
    assert answer.value.status == 201 and answer.value.json()["rating"] == 5


def test_a_tablet_needs_a_place_that_is_known(open_page, kept):
    page = ready(open_page(f"{kept.address}/rate"))
    page.get_by_role("link", name="library").click()
    expect(page.locator(".rate-face")).to_have_count(5)
    page = ready(open_page(f"{kept.address}/rate?place=nowhere"))
    assert tap(page, "good").status == 404
    expect(page.get_by_role("heading")).to_have_text("This tablet has no place")


def test_system_says_how_it_is(open_page, kept, screenshot):
    page = ready(open_page(f"{kept.address}/system?place=lobby"))
    expect(page.locator(".running-title")).to_have_text("Rapport is running")
    expect(page.locator(".running-line")).to_have_text("It is written.")
    drift = page.locator(".drift")
    brightness = drift.locator('tr[data-feature="brightness"]')
    expect(brightness).to_contain_text("Large")
    expect(brightness).to_contain_text("lamps, blinds")
    expect(drift.locator('tr[data-feature="blur"]')).to_contain_text("As before")
    found = journal(kept, "drift", place="lobby")["features"]
    for feature in found:
        expect(drift.locator(f'tr[data-feature="{feature["feature"]}"]')).to_contain_text(
            f"{feature['n_then']:,}"
        )
    estimate = page.locator("section", has=page.locator("#accuracy-title"))
    expect(estimate).to_contain_text("Estimated accuracy")
    expect(estimate).to_contain_text("about ")
    expect(estimate).to_contain_text("Do not rely on it")
    expect(estimate).to_contain_text("Brightness")
    expect(estimate).to_contain_text(re.compile(r"n = [\d,]+"))
    page.set_viewport_size({"width": 1440, "height": 1180})
    screenshot(page, "system")
    page.get_by_label("Place").select_option("library")
    expect(brightness).to_contain_text("As before")
    expect(estimate).to_contain_text("That is no proof")


def test_system_notices_a_pause_by_itself(open_page, serve):
    server = serve()
    page = ready(open_page(f"{server.address}/system"))
    server.ask("pause", {"paused": True})
    expect(page.locator(".running-title")).to_have_text("Paused for everybody", timeout=LAST_MS)


def test_without_a_journal_pages_say_what_to_do(open_page, server):
    for path in ("/history", "/ratings", "/system"):
        page = ready(open_page(server.address + path))
        expect(page.locator(".empty")).to_contain_text("No journal is kept")
        expect(page.locator(".empty")).to_contain_text("rapport serve --journal")
    page = open_page(f"{server.address}/rate")
    expect(page.get_by_role("heading")).to_have_text("Ratings are off")


def test_a_new_journal_says_when_figures_come(open_page, serve, tmp_path):
    server = serve("--journal", tmp_path / "journal.db", "--place", "lobby")
    page = ready(open_page(f"{server.address}/history"))
    expect(page.locator(".empty")).to_contain_text("still empty")
    expect(page.locator(".empty")).to_contain_text("ten visits")
    page = ready(open_page(f"{server.address}/system"))
    expect(page.locator("section", has=page.locator("#drift-title"))).to_contain_text("first week")
    expect(page.locator("section", has=page.locator("#accuracy-title"))).to_contain_text(
        "fewer than ten visits"
    )
    # Nine ratings stay in memory, and no page shows them.
    page = ready(open_page(f"{server.address}/ratings"))
    expect(page.locator(".empty")).to_contain_text("No ten ratings yet")


def test_a_tablet_with_the_token_for_ratings_may_rate_and_no_more(open_page, serve, tmp_path):
    state = tmp_path / "state"
    server = serve(
        "--tokens", "--state-dir", state, "--journal", tmp_path / "journal.db", "--place", "exit"
    )
    tokens = dict(re.findall(r'"(\w+)":\s*"([^"]+)"', (state / "tokens.json").read_text()))
    page = open_page(f"{server.address}/rate?place=exit")
    page.get_by_label("Token").fill(tokens["rating"])
    page.get_by_role("button", name="Sign in").click()
    assert tap(page, "good").status == 201
    # Its place is not lost on the way.
    assert page.url == f"{server.address}/rate?place=exit"
    for path in ("/history", "/ratings", "/system"):
        page.goto(server.address + path)
        expect(page.locator(".waiting")).to_have_text("This device is set up for ratings only.")
    page.get_by_role("link", name="Open the page for guests").click()
    expect(page.locator(".rate-face")).to_have_count(5)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(open_page, kept, path, scheme):
    page = ready(open_page(kept.address + path, scheme=scheme, phone=scheme == "dark"))
    for summary in page.get_by_text("As a table").all():
        summary.click()
    if path.startswith("/history"):
        tile(page, "smiles").click()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("language", ["en-US", "de-DE"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_the_screen(open_page, kept, path, language):
    page = ready(open_page(kept.address + path, language=language))
    for width in (360, 768, 1024, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        # Charts take their new width in the next frames.
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


def test_on_a_phone_every_page_can_be_reached(open_page, kept, screenshot):
    page = ready(open_page(f"{kept.address}/history?place=lobby", phone=True, scheme="dark"))
    screenshot(page, "history-phone")
    system = page.get_by_role("link", name="System")
    expect(system).to_be_hidden()
    more = page.get_by_role("button", name="More")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(system).to_be_hidden()
    more.click()
    system.click()
    expect(page.locator(".running-title")).to_be_visible()


def test_a_month_is_shown_soon(open_page, kept):
    """A guard against a page that asks day by day; how fast the journal answers is in its bench."""
    asked = []
    page = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{kept.address}/history?place=lobby")
    ready(page).wait_for_load_state("networkidle")
    assert len([url for url in asked if "/api/v1/journal/" in url]) <= 8

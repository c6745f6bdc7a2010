"""The pages of the API and of the sign, and what no page may do."""

import hashlib
import http.server
import json
import re
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from scenes import PICTURES
from web_server import ROOT

ASSETS = ROOT / "crates" / "web" / "assets"
PAGES = ["/", "/pictures", "/api", "/notice", "/sign-in"]
READY = ".note-title, .drop, .endpoint, .sign, .sign-in-form, .empty, .rate-thanks"


def ready(page):
    page.locator(READY).first.wait_for()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [*PAGES, "/ running", "/pictures filled", "/pictures why"])
def test_axe_finds_nothing(open_page, server, path, scheme):
    path, _, state = path.partition(" ")
    page = ready(open_page(server.address + path, scheme=scheme))
    if state == "running":
        page.locator(".note button").click()
        expect(page.locator(".person")).to_have_count(2, timeout=15_000)
        page.wait_for_timeout(1_000)
    elif state:
        page.set_input_files(
            "#files", [PICTURES / "astronaut.jpg", PICTURES / "coffee.jpg", __file__]
        )
        expect(page.locator("tbody tr")).to_have_count(1, timeout=15_000)
        if state == "why":
            page.locator(".face-row button").click()
            page.locator(".why-choice").first.wait_for()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert len(results.response["passes"]) > 10


def test_the_api_page_shows_every_request(open_page, server, screenshot):
    page = ready(open_page(f"{server.address}/api"))
    document = server.ask("openapi.json")[1]
    shown = page.locator(".endpoint-title").all_inner_texts()
    for path, methods in document["paths"].items():
        for method in methods:
            assert any(re.fullmatch(rf"{method}\s+{re.escape(path)}", t, re.I) for t in shown), path
    for shape in document["components"]["schemas"]:
        assert page.locator(f"#shape-{shape}").count() == 1
    # Every link within the page leads somewhere.
    dead = page.evaluate(
        """() => [...document.querySelectorAll("main a[href^='#']")]
            .map(a => a.getAttribute("href").slice(1)).filter(id => !document.getElementById(id))"""
    )
    assert dead == []
    screenshot(page, "api")


def test_problems_lead_to_the_api_page(open_page, server):
    status, problem = server.ask("analyze", b"no picture", {"content-type": "image/jpeg"})
    assert status >= 400
    page = ready(open_page(server.address + problem["type"]))
    expect(page.locator(f"[id='{problem['type'].split('#')[1]}']")).to_be_visible()


def test_the_sign_can_be_had_in_both_languages(open_page, server, screenshot):
    page = ready(open_page(f"{server.address}/notice", language="de-AT"))
    expect(page.locator(".sign-title")).to_have_text(["Hier liest eine Kamera Gesichtsausdrücke"])
    screenshot(page, "notice")
    page.get_by_role("radio", name="Beide").check()
    expect(page.locator(".sign")).to_have_count(2)
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.locator(".notice-tools")).to_be_hidden()


def test_other_origins_are_refused(open_page, server):
    """A page of another origin can neither ask the API nor open its WebSockets."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>another page</title>")

        def log_message(self, *_):
            pass

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        page = open_page(f"http://127.0.0.1:{other.server_port}/")
        results = page.evaluate(
            """async server => {
                const socket = name => new Promise(resolve => {
                    const socket = new WebSocket(server.replace("http", "ws") + "/api/v1/" + name);
                    socket.onopen = () => resolve("open");
                    socket.onerror = () => resolve("refused");
                });
                const post = path => fetch(server + "/api/v1/" + path, { method: "POST", body: "{}" })
                    .then(r => r.status, () => "refused");
                const get = path => fetch(server + "/api/v1/" + path).then(r => r.status, () => "refused");
                return [await socket("live"), await socket("watch"), await post("analyze"),
                        await post("pause"), await get("info")];
            }""",
            server.address,
        )
    finally:
        other.shutdown()
    assert results == ["refused"] * 5
    assert server.ask("info")[1]["paused"] is False


def texts(language):
    return json.loads((ASSETS / "text" / f"{language}.json").read_text())


def test_both_languages_have_the_same_texts():
    english, german = texts("en"), texts("de")
    assert list(english) == list(german)
    for key in english:
        assert english[key] and german[key], key
        places = [sorted(re.findall(r"\{\w+\}", text[key])) for text in (english, german)]
        assert places[0] == places[1], key


def test_every_text_is_used_and_every_text_used_is_there():
    code = "\n".join(p.read_text() for p in [*ASSETS.rglob("*.js"), *ASSETS.glob("*.html")])
    named = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)*)"', code))
    # Keys that are put together: `expression.${label}`.
    prefixes = set(re.findall(r"`([a-z_]+\.)\$\{", code))
    for key in texts("en"):
        stem = re.sub(r"\.(one|other)$", "", key)
        # The notes of the stage have a title and a text.
        note = re.sub(r"\.(title|text)$", "", key)
        known = {key, stem, note} & named or any(key.startswith(p) for p in prefixes)
        assert known, f"{key} is not used"
    said = set(re.findall(r'(?:say|count)\(\s*"([^"]+)"', code))
    html = "\n".join(p.read_text() for p in ASSETS.glob("*.html"))
    said |= set(re.findall(r'data-(?:text|label|hint)="([^"]+)"', html))
    known = {re.sub(r"\.(one|other)$", "", key) for key in texts("en")} | set(texts("en"))
    assert said and said <= known


# What stands on a page without being a text of ours: names, numbers and symbols.
NO_WORDS = re.compile(r"^(?:Rapport|[^a-zA-ZäöüÄÖÜß]*|\d+×\d+)$")


def test_no_page_has_words_outside_of_the_texts(open_page, server):
    """Every text is replaced by marks; what is then still readable was written elsewhere."""

    def mark(text):
        places = re.findall(r"\{\w+\}", text)
        return f"⟦{' '.join(places)}⟧"

    def marked(route):
        route.fulfill(json={key: mark(text) for key, text in texts("en").items()})

    pages = ["/", "/pictures", "/notice", "/sign-in", "/history", "/ratings", "/system", "/rate"]
    for path in pages:
        page = open_page("about:blank")
        page.route("**/assets/text/*.json", marked)
        page.goto(server.address + path)
        ready(page)
        if path == "/":
            page.locator(".note button").click()
            expect(page.locator(".person")).to_have_count(2, timeout=15_000)
            page.wait_for_timeout(1_500)
        found = page.evaluate(
            """() => {
                const found = [];
                const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                for (let node = walker.nextNode(); node; node = walker.nextNode())
                    if (!node.parentElement.closest("noscript, script, option")) found.push(node.data);
                for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
                    for (const name of ["aria-label", "title", "placeholder", "alt"])
                        if (element.hasAttribute(name)) found.push(element.getAttribute(name));
                return found;
            }"""
        )
        assert len(found) >= (2 if path == "/rate" else 6)
        for text in found:
            rest = re.sub(r"⟦[^⟧]*⟧", "", text).strip()
            # A name that comes from the server: of the network.
            assert NO_WORDS.match(rest) or rest in ("emotion",), f"{path}: {text!r}"


def test_uplot_is_that_of_npm():
    """Files of uplot-1.6.32.tgz, so that nobody mends them here and the next version loses it."""
    vendored = ASSETS / "vendor" / "uplot"
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest()[:16] for p in vendored.iterdir()}
    assert found == {
        "LICENSE": "8f989229699b4fe2",
        "uPlot.esm.js": "5dd9b3281aa64b46",
        "uPlot.min.css": "df630c6a8d6f8eea",
    }


def test_pages_hold_no_script_and_no_style():
    for page in ASSETS.glob("*.html"):
        text = page.read_text()
        assert "style=" not in text and "<style" not in text, page.name
        assert not re.search(r"<script(?![^>]* src=)", text), page.name
        assert not re.search(r"\son\w+=", text), page.name
        assert not re.search(r"(?:src|href)=\"(?!/|#)", text), page.name


def test_lists_do_not_grow(open_page, server):
    """A day of people who come and go leaves no more behind than a minute of them."""
    page = ready(open_page(server.address))
    sizes = page.evaluate(
        """async () => {
            const { History } = await import("/assets/js/history.js");
            const { People } = await import("/assets/js/people.js");
            const { Rate } = await import("/assets/js/rates.js");
            const { Palette } = await import("/assets/js/palette.js");
            const { wordsIn } = await import("/assets/js/words.js");
            const words = await wordsIn("en");
            const history = new History({ bin_secs: 0.2, span_secs: 60 });
            const palette = new Palette({});
            const people = new People({ labels: ["happy"], palette, words, pointOut() {} });
            document.body.append(people.element);
            const rate = new Rate();
            const person = id => ({ face_id: `face_${id}`, label: "happy", sure: true, confidence: 1,
                probabilities: { happy: 1 }, valence: 0, arousal: 0, first_seen_secs: 0 });
            for (let i = 0; i < 20000; i++) {
                const group = [0, 1, 2, 3].map(n => person(Math.floor(i / 10) * 4 + n));
                history.add(i / 10, group);
                history.tick(i / 10, "something");
                people.show(group, i / 10);
                rate.add(1);
            }
            people.show(Array.from({ length: 100 }, (_, i) => person(i)), 2000);
            const bins = Math.max(...[...history.rows.values()].map(row => row.bins.size));
            return { rows: history.rows.size, bins, ticks: history.ticks.length,
                cards: people.list.children.length };
        }"""
    )
    assert sizes["rows"] <= 40 and sizes["bins"] <= 301 and sizes["ticks"] <= 100
    assert 1 <= sizes["cards"] <= 12

"""The page for pictures and videos in a real browser."""

import csv
import io
import json
import subprocess

import pytest
from playwright.sync_api import expect

from fake_camera import one_person, two_people, write_webm
from scenes import PICTURES
from web_server import PROGRAM, ROOT

LAST_MS = 60_000


def choose(page, *files):
    page.set_input_files("#files", [str(file) for file in files])


def finished(page):
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden(timeout=LAST_MS)


def downloaded(page, name):
    with page.expect_download() as download:
        page.locator(f"#{name}").click()
    return open(download.value.path(), encoding="utf-8", newline="").read()


def rows(page):
    return [
        [cell.strip() for cell in row.locator("td").all_inner_texts()]
        for row in page.locator("tbody tr").all()
    ]


@pytest.fixture
def page(open_page, server):
    return open_page(f"{server.address}/pictures")


def test_pictures_are_drawn_and_listed(page, screenshot):
    names = ["astronaut.jpg", "hopper.jpg", "solvay_1927.jpg", "chelsea.jpg"]
    choose(page, *(PICTURES / name for name in names))
    finished(page)
    expect(page.locator(".file-card")).to_have_count(4)
    found = rows(page)
    assert found[0][0] == "astronaut.jpg" and found[0][2:4] == ["face 1", "happy"]
    assert found[1][0] == "hopper.jpg"
    assert len([row for row in found if row[0] == "solvay_1927.jpg"]) >= 20
    expect(page.locator(".file-card", has_text="chelsea.jpg")).to_contain_text("No face found")
    # The astronaut's box is drawn over her face.
    changed = page.evaluate(
        """() => {
            const canvas = document.querySelector(".file-card canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4)
                if (data[i] < 20 && Math.abs(data[i + 1] - 130) < 12 && Math.abs(data[i + 2] - 137) < 12)
                    count++;
            return count;
        }"""
    )
    assert changed > 500
    page.evaluate("scrollTo(0, 0)")
    screenshot(page, "pictures")


def test_the_download_is_what_the_command_prints(page):
    choose(page, PICTURES / "astronaut.jpg", PICTURES / "hopper.jpg")
    finished(page)
    saved = json.loads(downloaded(page, "json"))
    assert saved["videos"] == []
    command = [PROGRAM, "analyze", "--json", "astronaut.jpg", "hopper.jpg"]
    printed = json.loads(subprocess.run(command, cwd=PICTURES, capture_output=True).stdout)
    assert saved["pictures"] == printed


def test_csv_has_a_row_for_each_face(page, tmp_path):
    # A name that CSV must quote.
    strange = tmp_path / 'a, "strange" name.jpg'
    strange.write_bytes((PICTURES / "astronaut.jpg").read_bytes())
    choose(page, strange)
    finished(page)
    (row,) = csv.DictReader(io.StringIO(downloaded(page, "csv")))
    assert row["picture"] == strange.name
    assert row["label"] == "happy" and row["sure"] == "true" and row["time_secs"] == ""
    labels = [name for name in row if name.startswith("p_")]
    assert len(labels) == 8 and sum(float(row[name]) for name in labels) == pytest.approx(
        1, abs=1e-3
    )


def test_why_is_drawn_over_the_face_for_any_expression(page, screenshot):
    choose(page, PICTURES / "astronaut.jpg")
    finished(page)
    page.get_by_role("button", name="Why face 1 was read so").click()
    picture = page.locator(".why-picture")
    expect(picture).to_have_attribute("aria-label", "face 1: what spoke for happy")
    pixels = """() => {
        const canvas = document.querySelector(".why-picture");
        const side = canvas.width;
        const { data } = canvas.getContext("2d").getImageData(0, 0, side, side);
        const hot = [0, 0];
        for (let i = 0; i < data.length; i += 4)
            if (data[i] - data[i + 2] > 90 && data[i] > 190) hot[(i >> 2) < side * side / 2 ? 0 : 1]++;
        return { hot, sum: data.reduce((sum, value, i) => (sum + value * (i % 9973)) % 1e9, 0) };
    }"""
    happy = page.evaluate(pixels)
    # A smile is in the lower half of a face.
    assert happy["hot"][1] > happy["hot"][0] and happy["hot"][1] > 1_000
    page.wait_for_timeout(500)
    screenshot(page, "why")
    page.get_by_role("radio", name="surprise").check()
    expect(picture).to_have_attribute("data-label", "surprise")
    assert page.evaluate(pixels)["sum"] != happy["sum"]
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_files_that_cannot_be_used_are_named_and_the_others_go_on(page, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 this is no picture")
    not_a_video = tmp_path / "not_a_video.mp4"
    not_a_video.write_bytes(b"this is no video")
    choose(page, broken, ROOT / "README.md", not_a_video, PICTURES / "astronaut.jpg")
    finished(page)
    expect(page.locator(".file-card.failed")).to_have_count(3)
    expect(page.locator(".file-card", has_text="broken.jpg").locator(".problem")).not_to_be_empty()
    expect(page.locator(".file-card", has_text="README.md")).to_contain_text(
        "no picture and no video"
    )
    expect(page.locator(".file-card", has_text="not_a_video.mp4")).to_contain_text("cannot play")
    assert [row[0] for row in rows(page)] == ["astronaut.jpg"]


def test_dropped_files_are_taken(page):
    data = (PICTURES / "astronaut.jpg").read_bytes()
    page.evaluate(
        """async bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
            const at = document.querySelector(".drop");
            for (const type of ["dragenter", "dragover", "drop"])
                at.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        list(data),
    )
    expect(page.locator("tbody tr")).to_have_count(1, timeout=LAST_MS)
    assert rows(page)[0][0] == "dropped.jpg"


def test_the_same_video_gives_the_same_table_twice(open_page, server, screenshot, tmp_path):
    video = tmp_path / "two_people.webm"
    write_webm(video, two_people())
    tables = []
    for _ in range(2):
        page = open_page(f"{server.address}/pictures")
        choose(page, video)
        finished(page)
        tables.append(downloaded(page, "csv"))
    assert tables[0] == tables[1]
    found = list(csv.DictReader(io.StringIO(tables[0])))
    # 2 s, 10 pictures a second; a face is reported from its second picture on.
    times = sorted({float(row["time_secs"]) for row in found})
    assert times == [pytest.approx(i / 10) for i in range(1, 20)]
    assert {row["face_id"] for row in found} == {"face_1", "face_2"}
    expect(page.locator(".file-what")).to_have_text("10 pictures a second, 2 faces")
    expect(page.locator(".strip")).to_have_count(2)
    page.locator(".slider").fill("7")
    expect(page.locator(".video-time")).to_have_text("0.7 s of 2.0 s")
    screenshot(page, "video")


def test_the_rate_of_a_video_is_chosen(page, tmp_path):
    video = tmp_path / "one_person.webm"
    write_webm(video, one_person())
    page.get_by_label("Pictures a second of a video").select_option("2")
    choose(page, video)
    finished(page)
    found = csv.DictReader(io.StringIO(downloaded(page, "csv")))
    assert [float(row["time_secs"]) for row in found] == [0.5, 1, 1.5]


def test_cancel_keeps_what_was_found(page, tmp_path):
    video = tmp_path / "long.webm"
    write_webm(video, [frame for _ in range(4) for frame in one_person()])
    choose(page, PICTURES / "astronaut.jpg", video, PICTURES / "hopper.jpg")
    expect(page.locator(".file-card.video .strip")).to_be_visible(timeout=LAST_MS)
    page.get_by_role("button", name="Cancel").click()
    finished(page)
    expect(page.locator(".file-card", has_text="hopper.jpg")).to_contain_text("Cancelled")
    names = {row[0] for row in rows(page)}
    assert "astronaut.jpg" in names and "hopper.jpg" not in names
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".file-card")).to_have_count(0)


def test_phone(open_page, server):
    page = open_page(f"{server.address}/pictures", phone=True)
    choose(page, PICTURES / "astronaut.jpg", PICTURES / "solvay_1927.jpg")
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390

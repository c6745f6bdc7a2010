"""`rapport journal export` and `merge`: what they write is read by DuckDB, as people do who know data."""

import datetime
import sqlite3
import subprocess

import pytest

from graph import BIN_DIR, ROOT
from serving import serve

duckdb = pytest.importorskip("duckdb")

# As a program of the first version left it: a bucket of visits, of a rule, of ratings and of health.
VERSION_1 = ROOT / "crates" / "journal" / "tests" / "data" / "version_1.sql"
TABLES = ["answers", "health", "ratings", "visits"]
UTC = datetime.timezone.utc


def rapport(*arguments):
    return subprocess.run(
        [BIN_DIR / "rapport", "journal", *map(str, arguments)],
        text=True,
        capture_output=True,
        timeout=60,
    )


def journal_of(folder, place):
    """A journal of the first version, which a server has brought to this one."""
    path = folder / f"{place}.db"
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1.read_text())
    connection.execute("UPDATE places SET name = ?", [place])
    connection.commit()
    connection.close()
    with serve(folder / "log", "--journal", path, "--place", place):
        pass
    return path


def rows_of(path, table):
    """How many buckets there are: the server has added one about itself, as it watched."""
    connection = sqlite3.connect(path)
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {table}")
    connection.close()
    return rows


@pytest.fixture(scope="module")
def journals(tmp_path_factory):
    """Journals of two robots, and a folder."""
    folder = tmp_path_factory.mktemp("journals")
    return journal_of(folder, "lobby"), journal_of(folder, "exit"), folder


def test_duckdb_reads_the_parquet_files(journals, tmp_path):
    lobby, *_ = journals
    done = rapport("export", lobby, "--parquet", "--output", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "new").iterdir())
    assert sorted(done.stdout.split()) == list(map(str, files))
    assert [file.stem for file in files] == TABLES
    read = lambda table: duckdb.read_parquet(str(tmp_path / "new" / f"{table}.parquet"))  # noqa: E731
    visits = read("visits")
    types = dict(zip(visits.columns, map(str, visits.types), strict=True))
    assert types["place"] == "VARCHAR" and types["from_utc"] == "TIMESTAMP WITH TIME ZONE"
    assert types["visits"] == "BIGINT" and types["smile_rate"] == "DOUBLE"
    ((place, begins, count, smiles, rate),) = visits.select(
        "place, epoch(from_utc), visits, smiles, smile_rate"
    ).fetchall()
    expected = datetime.datetime(2026, 11, 2, tzinfo=UTC).timestamp()
    assert (place, begins, count, smiles, rate) == ("lobby", expected, 12, 12, 1.0)
    # The rule was followed in fewer than ten visits.
    ((rule, answered, followed),) = read("answers").select("rule, visits, followed").fetchall()
    assert (rule, answered, followed) == ("greet", 10, None)
    ((ratings, mean),) = read("ratings").select("ratings, mean").fetchall()
    assert ratings == 11 and mean == pytest.approx(45 / 11)


def test_csv_and_parquet_hold_the_same(journals, tmp_path):
    lobby, *_ = journals
    for format in ["csv", "parquet"]:
        assert rapport("export", lobby, f"--{format}", "--output", tmp_path).returncode == 0
    for table in TABLES:
        csv = duckdb.read_csv(str(tmp_path / f"{table}.csv"))
        parquet = duckdb.read_parquet(str(tmp_path / f"{table}.parquet"))
        assert csv.columns == parquet.columns
        assert len(csv.fetchall()) == len(parquet.fetchall()) == rows_of(lobby, table)


def test_a_merge_adds_nothing_twice(journals, tmp_path):
    lobby, exit_, _ = journals
    fleet = tmp_path / "fleet.db"
    done = rapport("merge", lobby, exit_, "--into", fleet)
    assert done.returncode == 0, done.stderr
    of_lobby, of_exit = [sum(rows_of(path, table) for table in TABLES) for path in (lobby, exit_)]
    assert of_lobby >= 4 and of_exit >= 4
    assert done.stdout.splitlines() == [
        f"{lobby}: {of_lobby} buckets added, 0 known",
        f"{exit_}: {of_exit} buckets added, 0 known",
    ]
    again = rapport("merge", exit_, lobby, "--into", fleet)
    assert again.stdout.splitlines() == [
        f"{exit_}: 0 buckets added, {of_exit} known",
        f"{lobby}: 0 buckets added, {of_lobby} known",
    ]
    done = rapport("export", fleet, "--parquet", "--table", "visits", "--output", tmp_path)
    assert done.stdout.split() == [str(tmp_path / "visits.parquet")]
    visits = duckdb.read_parquet(str(tmp_path / "visits.parquet"))
    assert visits.select("place, visits").fetchall() == [("exit", 12), ("lobby", 12)]
    one = rapport(
        "export", fleet, "--csv", "--table", "visits", "--place", "exit", "--output", tmp_path
    )
    assert one.returncode == 0
    assert (tmp_path / "visits.csv").read_text().count("\nexit,") == 1
    none = rapport("export", fleet, "--csv", "--from", "2026-11-03", "--output", tmp_path)
    assert none.returncode == 0
    assert len((tmp_path / "visits.csv").read_text().splitlines()) == 1


def test_mistakes_are_named(journals, tmp_path):
    lobby, *_ = journals
    for arguments, message in [
        (("export", "/no/such.db", "--csv"), "/no/such.db: cannot open the journal"),
        (("export", ROOT / "README.md", "--csv"), "found no SQLite file, expected a journal"),
        (("export", lobby, "--csv", "--place", "moon"), "no such place, expected one of: lobby"),
        (
            ("export", lobby, "--csv", "--from", "2026-11-03", "--to", "2026-11-02"),
            "not before --to",
        ),
        (("export", lobby, "--csv", "--from", "soon"), "expected a time as 2026-11-26"),
        (("export", lobby, "--csv", "--table", "people"), "expected visits, answers, ratings or"),
        (("export", lobby), "--csv"),
        (("merge", lobby, "--into", lobby), "found the same journal on both sides of a merge"),
        (("merge", "/no/such.db", "--into", tmp_path / "new.db"), "/no/such.db: cannot open"),
    ]:
        done = rapport(*arguments)
        assert done.returncode in (1, 2), arguments
        assert message in done.stderr, f"{arguments}: {done.stderr}"
    assert not (tmp_path / "new.db").exists()

"""config/monitoring with a real Prometheus: the rules are sound, the figures are scraped, an alert fires,
and the Grafana dashboard asks for figures that exist."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
import yaml

from graph import PATIENCE_SECS, ROOT
from serving import free_port, serve

MONITORING = ROOT / "config" / "monitoring"
RULES = MONITORING / "rapport.rules.yml"
DASHBOARD = json.loads((MONITORING / "grafana-dashboard.json").read_text())


def program(name):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed (Debian: apt install prometheus)")
    return path


def promtool(*arguments, text=None):
    return subprocess.run(
        [program("promtool"), *arguments], input=text, text=True, capture_output=True, timeout=60
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rapport.rules.yml"),
        ("test", "rules", "rapport.rules.test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_nothing_wrong(arguments):
    *what, file = arguments
    checked = promtool(*what, str(MONITORING / file))
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """`rapport serve` with a journal that cannot be written any more, and what it logs."""
    folder = tmp_path_factory.mktemp("served")
    journal = folder / "journal.db"
    with serve(folder / "log", "--journal", journal, "--place", "lobby") as server:
        # Its file goes away. The first thing to write finds out.
        journal.rename(folder / "elsewhere.db")
        assert server.ask("ratings", {"rating": 4})[0] == 201
        yield server


@pytest.fixture(scope="module")
def metrics(server):
    """The text of /metrics once the alert stands."""
    deadline = time.monotonic() + PATIENCE_SECS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{server.address}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        if 'rapport_alert{kind="journal_not_written",place=""} 1' in text:
            return text
        time.sleep(0.1)
    raise AssertionError(f"no alert stands: {server.log.read_text()}\n{text}")


def test_an_alert_is_in_the_log_and_on_the_page(server, metrics):
    assert "rapport: warning: alert journal_not_written: The journal is not written" in (
        server.log.read_text()
    )
    status, found = server.ask("journal/status")
    assert status == 200
    assert [alert["kind"] for alert in found["alerts"]] == ["journal_not_written"]
    assert "rapport_journal_writable 0" in metrics


class Prometheus:
    """A real one that scrapes a server of this machine with the files of config/monitoring."""

    def __init__(self, folder, target):
        config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(RULES)]
        (job,) = config["scrape_configs"]
        job["static_configs"] = [{"targets": [target]}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.port = free_port()
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    program("prometheus"),
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
            )

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def wait_for(self, what, path, **query):
        """The answer once `what` of it is true."""
        deadline = time.monotonic() + PATIENCE_SECS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                answer = self.ask(path, **query)
            except OSError:
                answer = None
            if answer is not None and what(answer):
                return answer
            time.sleep(0.1)
        raise AssertionError(f"not in time: {answer}\n{self.log.read_text()[-3000:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory, server, metrics):
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), server.address[len("http://") :])
    yield prometheus
    prometheus.stop()


def test_prometheus_scrapes_and_a_rule_fires(prometheus):
    (up,) = prometheus.wait_for(
        lambda answer: answer["result"] and answer["result"][0]["value"][1] == "1",
        "query",
        query='up{job="rapport"}',
    )["result"]
    fires = lambda answer: any(  # noqa: E731
        alert["labels"]["alertname"] == "RapportAlert" and alert["state"] == "firing"
        for alert in answer["alerts"]
    )
    alerts = prometheus.wait_for(fires, "alerts")["alerts"]
    (alert,) = [alert for alert in alerts if alert["labels"]["alertname"] == "RapportAlert"]
    assert alert["labels"]["kind"] == "journal_not_written"
    assert alert["annotations"]["summary"].startswith("journal_not_written at 127.0.0.1:")
    pending = {alert["labels"]["alertname"] for alert in alerts}
    assert "RapportJournalNotWritten" in pending


def names_in(expression):
    return set(re.findall(r"\brapport_\w+", expression))


def registered(metrics):
    """The names of all figures, with the ends that each type gets.

    A scrape has none of what only robots, brokers and places with visits have: of these, the stems of
    the names are read in the source. crates/web/tests/monitor.rs and test_mqtt.py see the figures.
    """
    names, stems = set(), set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", metrics, re.MULTILINE):
        names |= {f"{name}_total"} if kind == "counter" else {name}
        stems.add(name)
    source = (ROOT / "crates" / "web" / "src" / "metrics" / "fleet.rs").read_text()
    for stem in re.findall(r'register(?:_with_unit)?\(\s*"(\w+)"', source):
        ends = [f"rapport_{stem}{end}" for end in ("", "_total", "_seconds", "_bytes")]
        if not stems.intersection(ends):
            names.update(ends)
    return names


def test_rules_name_figures_that_exist(metrics):
    groups = yaml.safe_load(RULES.read_text())["groups"]
    named = set().union(*(names_in(rule["expr"]) for group in groups for rule in group["rules"]))
    assert len(named) > 10
    assert named <= registered(metrics)


def test_the_dashboard_asks_for_figures_that_exist(metrics, prometheus):
    expressions = [
        target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
    ] + [DASHBOARD["templating"]["list"][1]["query"]["query"]]
    named = set().union(*map(names_in, expressions))
    assert len(named) > 15
    assert named <= registered(metrics)
    for expression in expressions[:-1]:
        # A question that Prometheus does not understand is an error of HTTP.
        prometheus.ask("query", query=expression.replace("$place", ".*"))


def test_panels_of_the_dashboard_do_not_overlap():
    cells = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        taken = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        cells |= taken
        assert panel["description"]

"""Prometheus really asks the stack (compose/observability.yaml), and warns. Without Grafana and the collector: their
images are not Debian packages, and there may be no registry.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.check import metric_names
from tests.integration import own_app
from tests.stack import api, postgres, started, waiting
from tests.stack.api import Api
from tests.stack.stack import FILES, ROOT, CommandFailedError, Stack

JOBS = {"web", "worker-cpu", "worker-io", "beat", "relay", "rabbitmq", "rabbitmq-queues", "postgres"}
OVERLAYS = ("compose/observability.yaml", "compose/observability-offline.yaml", "tests/integration/observability.yaml")
ADDED = ("prometheus", "postgres-exporter")
SEEN_WITHIN_S = 60
ONLY_WHEN_FIRING = "ALERTS"

_ASK = """
import sys, httpx
answer = httpx.get("http://prometheus:9090/api/v1/" + sys.argv[1], params=dict(p.split("=", 1) for p in sys.argv[2:]))
answer.raise_for_status()
print(answer.text)
"""


@pytest.fixture(scope="module")
def watched(folder: Path) -> Iterator[Stack]:
    """A stack of its own with the overlay, watched every second."""
    mounted = {f"PROMETHEUS_{kind}": str(path) for kind, path in _impatient(folder).items()}
    app = own_app.make(folder / "watched", name="billing")
    with started.stack(folder, values={"OWN_APP": str(app), **mounted}, files=[*FILES, *OVERLAYS]) as stack:
        yield stack


@pytest.fixture(scope="module")
def somebody(watched: Stack) -> Api:
    return api.register(watched.web_url)


def _impatient(folder: Path) -> dict[str, Path]:
    """The image's own files, but for the waiting."""
    source = ROOT / "services/prometheus"
    config = re.sub(r"(_interval): \d+s", r"\1: 1s", (source / "prometheus.yaml").read_text())
    config = config.replace("scrape_timeout: 10s", "scrape_timeout: 1s")
    rules = re.sub(r"for: \d+m", "for: 1s", (source / "rules.yaml").read_text())
    made = {"CONFIG": folder / "prometheus.yaml", "RULES": folder / "rules.yaml"}
    for kind, text in (("CONFIG", config), ("RULES", rules)):
        made[kind].write_text(text)
        made[kind].chmod(0o644)  # its user is another
    return made


def _ask(stack: Stack, path: str, **parameters: str) -> Any:
    """The answer of https://prometheus.io/docs/prometheus/latest/querying/api/."""
    given = [f"{name}={value}" for name, value in parameters.items()]
    return json.loads(stack.execute("web", "python", "-c", _ASK, path, *given))["data"]


def _names(stack: Stack) -> set[str]:
    return set(_ask(stack, "label/__name__/values"))


def _firing(stack: Stack) -> set[tuple[str, str]]:
    firing = [each["labels"] for each in _ask(stack, "alerts")["alerts"] if each["state"] == "firing"]
    return {(labels["alertname"], labels.get("queue", "")) for labels in firing}


def test_prometheus_reaches_every_target(watched: Stack) -> None:
    def reached() -> bool:
        targets = _ask(watched, "targets")["activeTargets"]
        return {each["labels"]["job"] for each in targets if each["health"] == "up"} == JOBS

    waiting.until(reached, within_s=SEEN_WITHIN_S, what=f"every target of {sorted(JOBS)} is up")


def test_every_documented_metric_is_there_after_a_job(watched: Stack, somebody: Api) -> None:
    for queue in ("cpu", "io"):
        somebody.wait(somebody.submit(f"probe.{queue}.noop"))
    declared = metric_names.declared()
    wanted = {f"{name}_count" if each.kind == "histogram" else name for name, each in declared.items()}

    waiting.until(lambda: not (wanted - _names(watched)), within_s=SEEN_WITHIN_S, what="every metric is there")


def test_the_metrics_of_others_that_rules_and_dashboards_ask_for_are_there(watched: Stack) -> None:
    wanted = metric_names.FOREIGN - {ONLY_WHEN_FIRING}

    waiting.until(lambda: not (wanted - _names(watched)), within_s=SEEN_WITHIN_S, what=f"{wanted - _names(watched)}")


def test_its_rules_are_read_and_nothing_is_wrong_with_them(watched: Stack) -> None:
    def evaluated() -> bool:
        rules = [rule for group in _ask(watched, "rules")["groups"] for rule in group["rules"]]
        return bool(rules) and {rule["health"] for rule in rules} == {"ok"}

    waiting.until(evaluated, within_s=SEEN_WITHIN_S, what="every rule was evaluated")


def test_nothing_fires_while_all_is_well(watched: Stack, somebody: Api) -> None:
    somebody.wait(somebody.submit("probe.cpu.noop"))

    waiting.until(lambda: not _firing(watched), within_s=SEEN_WITHIN_S, what="no alert fires")


def test_an_alert_fires_while_a_worker_is_stopped_and_ends_when_it_is_back(watched: Stack) -> None:
    expected = ("WarrenQueueWithoutWorker", "cpu")
    with watched.stopped("worker-cpu"):
        waiting.until(lambda: expected in _firing(watched), within_s=SEEN_WITHIN_S, what="an alert fires")
        assert ("WarrenQueueWithoutWorker", "io") not in _firing(watched)

    waiting.until(lambda: expected not in _firing(watched), within_s=SEEN_WITHIN_S, what="it ends")


def test_an_alert_fires_while_nothing_leads_the_schedule(watched: Stack) -> None:
    with watched.stopped("beat"):
        waiting.until(lambda: ("WarrenBeatSilent", "") in _firing(watched), within_s=SEEN_WITHIN_S, what="it fires")


def test_an_alert_fires_while_rabbitmq_is_away_and_jobs_wait(watched: Stack, somebody: Api) -> None:
    with watched.stopped("rabbitmq"):
        job_id = somebody.submit("probe.cpu.noop")
        waiting.until(lambda: ("WarrenOutboxStuck", "") in _firing(watched), within_s=120, what="it fires")

    assert somebody.wait(job_id, within_s=120)["state"] == "succeeded"


@pytest.mark.parametrize("table", ["warren_job", "accounts_user", "authtoken_token", "django_migrations"])
def test_the_exporter_reads_no_table(watched: Stack, table: str) -> None:
    with pytest.raises(CommandFailedError, match=f"permission denied for table {table}"):
        postgres.ask(watched, 'SELECT 1 FROM :"table" LIMIT 1', role="warren_exporter", table=table)


def test_the_exporter_makes_nothing_and_is_no_more_than_a_login(watched: Stack) -> None:
    with pytest.raises(CommandFailedError, match="permission denied for schema public"):
        postgres.ask(watched, "CREATE TABLE probe (id int)", role="warren_exporter")

    special = postgres.ask(
        watched,
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'warren\\_%' "
        "AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)",
    )
    memberships = "SELECT roleid::regrole FROM pg_auth_members WHERE member = 'warren_exporter'::regrole"
    groups = postgres.ask(watched, memberships)
    assert (special, groups) == ([], [["pg_read_all_stats"]])


@pytest.mark.parametrize("service", ADDED)
def test_what_is_added_has_no_rights_and_no_way_in(watched: Stack, service: str) -> None:
    host = watched.inspect(watched.container(service))["HostConfig"]

    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["PortBindings"]
    assert host["Memory"] > 0


def test_a_secret_of_the_exporter_is_a_file_of_its_own(watched: Stack) -> None:
    assert watched.execute("postgres-exporter", "ls", "/run/secrets").split() == ["password"]
    shown = "\n".join(watched.inspect(watched.container("postgres-exporter"))["Config"]["Env"])
    assert watched.values["POSTGRES_EXPORTER_PASSWORD"] not in shown

"""`make upgrade` while jobs are submitted: every service becomes a new one, and no accepted job is lost."""

import json
from pathlib import Path

import pytest

from tests.integration import load
from tests.stack import postgres, waiting
from tests.stack.api import Api
from tests.stack.stack import CommandFailedError, Stack

SETTLED_WITHIN_S = 60
LONG_S = 300.0  # the worker is told to stop while it runs
ROLES = ("web", "worker-cpu", "worker-io", "beat", "relay")
STORES = ("postgres", "rabbitmq")
# stands for a new release, which changes every service too; it stays, and harms nobody
OTHERWISE = {"JOB_RETENTION_DAYS": "29"}

_JOBS = "SELECT id, state, coalesce(result, '') FROM warren_job WHERE id = ANY(string_to_array(:'ids', ','))"
_OPEN = "SELECT count(*) FROM warren_job WHERE finished_at IS NULL AND id = ANY(string_to_array(:'ids', ','))"
_ROWS = "SELECT count(*), count(DISTINCT name) FROM auth_group WHERE name = ANY(string_to_array(:'names', ','))"


def test_no_accepted_job_is_lost_while_all_is_rolled(stack: Stack, member: Api, folder: Path) -> None:
    before = _containers(stack)
    long = member.submit("probe.io.wait_until_cancelled", kwargs={"seconds": LONG_S})
    member.wait(long, states=("running",))

    with load.on(member) as loaded:
        waiting.until(lambda: loaded.said, within_s=60, what="there is load")
        stack.host("upgrade", str(folder / "of-upgrades"), "no", **OTHERWISE)
        number = len(loaded.said)
        waiting.until(lambda: len(loaded.said) > number, within_s=60, what="it goes on")

    after = _containers(stack)
    assert {role for role in ROLES if before[role] == after[role]} == set(), "not new"
    assert {store for store in STORES if before[store] != after[store]} == set(), "new, though nothing of it changed"
    ids = ",".join(loaded.said)
    waiting.until(lambda: postgres.number(stack, _OPEN, ids=ids) == 0, within_s=SETTLED_WITHIN_S, what="all are final")
    found = {job_id: (state, result) for job_id, state, result in postgres.ask(stack, _JOBS, ids=ids)}
    assert found == {job_id: ("succeeded", f'"{said}"') for job_id, said in loaded.said.items()}
    effects = str(len(loaded.effects))
    assert postgres.ask(stack, _ROWS, names=",".join(loaded.effects.values())) == [[effects, effects]]
    assert member.wait(long, states=("running",))["attempt"] == 2
    member.post(f"/api/jobs/{long}/cancel/")
    (backup,) = (folder / "of-upgrades").iterdir()
    assert json.loads((backup / "manifest.json").read_text())["database"]["jobs"]["running"] >= 1


def test_the_old_processes_go_on_when_the_migration_fails(stack: Stack, member: Api) -> None:
    before = _containers(stack)

    with pytest.raises(CommandFailedError, match=r"POSTGRES_ROLE_CONNECTIONS[\s\S]*the old processes go on"):
        stack.host("roll", POSTGRES_ROLE_CONNECTIONS="many", **OTHERWISE)

    assert {**_containers(stack), "migrate": ""} == {**before, "migrate": ""}
    assert member.wait(member.submit("probe.cpu.echo", args=["on"]))["result"] == "on"


def _containers(stack: Stack) -> dict[str, str]:
    return {str(each.Service): str(each.ID) for each in stack.containers()}

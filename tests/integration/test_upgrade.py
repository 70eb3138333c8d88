"""`make upgrade` while jobs are submitted: every service becomes a new one, and no accepted job is lost. And back."""

import json
import os
import subprocess
from collections.abc import Iterator
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
# changes every service too; it stays, and harms nobody
OTHERWISE = {"JOB_RETENTION_DAYS": "29"}
TAG = os.environ.get("WARREN_TAG") or "latest"
OURS = f"{TAG}-test"  # so that what people's own upgrades have kept under their tag stays
RUNS = {"WARREN_TAG": OURS, **OTHERWISE}
NEXT = "0123456789abcdef0123456789abcdef01234567"

# a release that adds a column, as every release should: the one before works on its tables
_NEXT_RELEASE = f"""
FROM warren-web:{TAG}
COPY 0099_added.py /srv/src/apps/accounts/migrations/
ENV WARREN_COMMIT={NEXT}
"""
_MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "{last}")]
    operations = [migrations.RunSQL("ALTER TABLE accounts_user ADD COLUMN added text NOT NULL DEFAULT 'yes'")]
"""
_LAST = "SELECT max(name) FROM django_migrations WHERE app = 'accounts'"
_ADDED = "SELECT DISTINCT added FROM accounts_user"

_JOBS = "SELECT id, state, coalesce(result, '') FROM warren_job WHERE id = ANY(string_to_array(:'ids', ','))"
_OPEN = "SELECT count(*) FROM warren_job WHERE finished_at IS NULL AND id = ANY(string_to_array(:'ids', ','))"
_ROWS = "SELECT count(*), count(DISTINCT name) FROM auth_group WHERE name = ANY(string_to_array(:'names', ','))"


@pytest.fixture(scope="module", autouse=True)
def _images() -> Iterator[None]:
    """Every image under a tag that is ours alone."""
    for name in _tagged(TAG):
        _docker("tag", f"{name}:{TAG}", f"{name}:{OURS}")
    yield
    ours = [f"{name}:{tag}" for tag in (OURS, f"{OURS}-before", f"{OURS}-unfinished") for name in _tagged(tag)]
    _docker("image", "rm", "--force", *ours)


def _tagged(tag: str) -> list[str]:
    return _docker("image", "ls", "--format", "{{.Repository}}", f"warren-*:{tag}").split()


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def test_no_accepted_job_is_lost_while_all_is_rolled(stack: Stack, member: Api, folder: Path) -> None:
    before = _containers(stack)
    long = member.submit("probe.io.wait_until_cancelled", kwargs={"seconds": LONG_S})
    member.wait(long, states=("running",))

    with load.on(member) as loaded:
        waiting.until(lambda: loaded.said, within_s=60, what="there is load")
        stack.host("upgrade", str(folder / "of-upgrades"), "no", **RUNS)
        number = len(loaded.said)
        waiting.until(lambda: len(loaded.said) > number, within_s=60, what="it goes on")

    after = _containers(stack)
    assert {role for role in (*ROLES, *STORES) if before[role] == after[role]} == set(), "not new"
    ids = ",".join(loaded.said)
    waiting.until(lambda: postgres.number(stack, _OPEN, ids=ids) == 0, within_s=SETTLED_WITHIN_S, what="all are final")
    found = {job_id: (state, result) for job_id, state, result in postgres.ask(stack, _JOBS, ids=ids)}
    assert found == {job_id: ("succeeded", f'"{said}"') for job_id, said in loaded.said.items()}
    effects = str(len(loaded.effects))
    assert postgres.ask(stack, _ROWS, names=",".join(loaded.effects.values())) == [[effects, effects]]
    # RabbitMQ's new container ended attempt 1, and may have given it to the worker of before once more
    assert member.wait(long, states=("running",))["attempt"] in (2, 3)
    member.post(f"/api/jobs/{long}/cancel/")
    (backup,) = (folder / "of-upgrades").iterdir()
    assert json.loads((backup / "manifest.json").read_text())["database"]["jobs"]["running"] >= 1


def test_the_old_processes_go_on_when_the_migration_fails(stack: Stack, member: Api) -> None:
    before = _containers(stack)

    with pytest.raises(
        CommandFailedError,
        match=r"POSTGRES_ROLE_CONNECTIONS[\s\S]*the old processes go on[\s\S]*WARREN_TAG=\S+-before compose/host/roll",
    ):
        stack.host("upgrade", "no", "no", POSTGRES_ROLE_CONNECTIONS="many", **RUNS)

    assert {**_containers(stack), "migrate": ""} == {**before, "migrate": ""}
    assert member.wait(member.submit("probe.cpu.echo", args=["on"]))["result"] == "on"


@pytest.fixture
def _two_workers(stack: Stack) -> Iterator[None]:
    """Of what runs, which `Stack.scaled` would exchange for the stack's own; one again afterwards."""
    stack.host("compose", "up", "--detach", "--wait", "--no-deps", "--scale", "worker-cpu=2", "worker-cpu", **RUNS)
    yield
    stack.scale("worker-cpu", to=1)


@pytest.mark.usefixtures("_two_workers")
def test_a_release_comes_and_goes_and_the_backup_before_it_names_the_one_that_ran(
    stack: Stack, member: Api, folder: Path
) -> None:
    """After the one above, which did not end well: what ran before that is kept, and runs still."""
    web, ran, before = _commit(stack), _image(stack), _containers(stack)
    _build_next(stack, folder)

    stack.host("upgrade", str(folder / "of-the-next"), "no", **RUNS)

    (backup,) = (folder / "of-the-next").iterdir()
    assert json.loads((backup / "manifest.json").read_text())["release"]["commit"] == web
    assert _commit(stack) == NEXT != web
    after = _containers(stack)
    assert {store for store in STORES if before[store] != after[store]} == set(), "new, though nothing of it changed"
    assert len(stack.containers(of="worker-cpu")) == 2
    assert postgres.ask(stack, _ADDED) == [["yes"]]

    stack.host("roll", WARREN_TAG=f"{OURS}-before", **OTHERWISE)

    assert (_commit(stack), _image(stack)) == (web, ran)
    assert member.wait(member.submit("probe.cpu.effect", args=["of the release before"]))["state"] == "succeeded"
    assert postgres.ask(stack, _ADDED) == [["yes"]], "tables go forward only"


def test_data_of_another_major_version_of_postgres_is_not_started_on(stack: Stack) -> None:
    project = f"{stack.values['COMPOSE_PROJECT_NAME']}-16"
    volume = f"{project}_postgres"
    write = ("--entrypoint", "sh", f"warren-postgres:{TAG}", "-c", "echo 16 >/var/lib/postgresql/data/PG_VERSION")
    _docker("run", "--rm", "--volume", f"{volume}:/var/lib/postgresql/data", *write)
    try:
        with pytest.raises(CommandFailedError, match="the data is of Postgres 16, and Postgres 17 cannot read it"):
            stack.host("up", COMPOSE_PROJECT_NAME=project)
    finally:
        _docker("volume", "rm", volume)


def _build_next(stack: Stack, folder: Path) -> None:
    ((last,),) = postgres.ask(stack, _LAST)
    (folder / "next").mkdir()
    (folder / "next/Dockerfile").write_text(_NEXT_RELEASE)
    (folder / "next/0099_added.py").write_text(_MIGRATION.format(last=last))
    _docker("build", "--quiet", "--tag", f"warren-web:{OURS}", str(folder / "next"))


def _commit(stack: Stack) -> str:
    environment = dict(line.split("=", 1) for line in stack.inspect(stack.container("web"))["Config"]["Env"])
    return str(environment["WARREN_COMMIT"])


def _image(stack: Stack) -> str:
    return str(stack.inspect(stack.container("web"))["Image"])


def _containers(stack: Stack) -> dict[str, str]:
    return {str(each.Service): str(each.ID) for each in stack.containers()}

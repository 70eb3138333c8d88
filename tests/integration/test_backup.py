"""`make backup` under load, and `make restore`: after everything is lost, over a running stack, of what is damaged."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.integration import load
from tests.stack import django_code, postgres, waiting
from tests.stack.api import Api
from tests.stack.stack import ONE_SHOTS, ROOT, WORKERS, CommandFailedError, Stack

SETTLED_WITHIN_S = 60
DUE_IN_S = 6  # longer than a snapshot takes to begin
LONG_S = 300.0  # so that it runs when the backup is taken, and after the restore

# the time is a backup's name, in seconds
KEEP_THREE_TIMES = """
set -e; cd /tmp; mkdir kept
for _ in 1 2 3; do /srv/postgres/keep kept /srv/postgres 2 >&2; sleep 1.1; done
tar --create --directory kept . | base64
"""

_MAKE = """
from datetime import timedelta
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
hourly, _ = IntervalSchedule.objects.get_or_create(every=3600, period=IntervalSchedule.SECONDS)
last = timezone.now() - timedelta(seconds=3600 - {due_in_s})
PeriodicTask.objects.create(name={name!r}, task="probe.cpu.echo", interval=hourly, args='["{name}"]', last_run_at=last)
"""
_FIRED = "SELECT count(*) FROM warren_job WHERE task = 'probe.cpu.echo' AND arguments LIKE '%' || :'name' || '%'"
_DELETE = "DELETE FROM django_celery_beat_periodictask WHERE name = :'name'"
# holds what pg_dump asks for, and when it is asked, is a migration that was committed after the snapshot
_MIGRATE_MEANWHILE = """
BEGIN; LOCK TABLE auth_group;
DO $$ BEGIN
  WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock') LOOP
    PERFORM pg_sleep(0.05); PERFORM pg_stat_clear_snapshot(); END LOOP;
END $$;
INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '0099_meanwhile', now()); COMMIT;
"""
_IS_LOCKED = "SELECT 1 FROM pg_locks WHERE relation = 'auth_group'::regclass AND mode = 'AccessExclusiveLock'"
_FORGET_MIGRATION = "DELETE FROM django_migrations WHERE name LIKE '0099_%'"
_BEATS = "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'warren_beat'"

_JOBS = "SELECT id, state, coalesce(result, '') FROM warren_job WHERE id = ANY(string_to_array(:'ids', ','))"
_OPEN = "SELECT count(*) FROM warren_job WHERE finished_at IS NULL AND id = ANY(string_to_array(:'ids', ','))"
_ROWS = "SELECT name, count(*) FROM auth_group WHERE name = ANY(string_to_array(:'names', ',')) GROUP BY name"


def test_what_was_accepted_before_the_backup_ends_well_though_all_data_is_lost(
    stack: Stack, member: Api, folder: Path
) -> None:
    picture, long = _thumbnail(member), _running(member)
    with load.on(member) as loaded:
        waiting.until(lambda: len(loaded.said) > 100, within_s=60, what="there is load")
        before = dict(loaded.said)
        backup = _back_up(stack, folder)
        waiting.until(lambda: len(loaded.said) > len(before) + 20, within_s=60, what="it has gone on")
    gone = _left_in_the_broker(stack, member)
    effects = {**loaded.effects, **gone}
    stack.compose("down")
    for volume in ("postgres", "media"):
        stack.remove_volume(volume)

    cut = shutil.copytree(backup, folder / "cut")
    with pytest.raises(CommandFailedError, match=_cut(cut)):
        stack.host("restore", str(cut))
    assert {each.State for each in stack.containers()} == {"exited"}, "nothing ran before"
    stack.host("restore", str(backup))

    waiting.until(
        lambda: postgres.number(stack, _OPEN, ids=",".join(loaded.said)) == 0,
        within_s=SETTLED_WITHIN_S,
        what="all are final",
    )
    found = {job_id: (state, result) for job_id, state, result in postgres.ask(stack, _JOBS, ids=",".join(loaded.said))}
    assert before.keys() <= found.keys()
    assert found == {job_id: ("succeeded", f'"{loaded.said[job_id]}"') for job_id in found}
    assert {name: int(count) for name, count in postgres.ask(stack, _ROWS, names=",".join(effects.values()))} == {
        loaded.effects[job_id]: 1 for job_id in found if job_id in loaded.effects
    }, "an effect is missing, is there twice, or comes from the other timeline"
    for job_id in gone:
        assert member.get(f"/api/jobs/{job_id}/").status_code == httpx.codes.NOT_FOUND
    assert member.wait(long, states=("running",))["attempt"] == 2
    member.post(f"/api/jobs/{long}/cancel/")
    assert member.get(picture["url"]).content == picture["content"]
    jobs = json.loads((backup / "manifest.json").read_text())["database"]["jobs"]
    assert sum(jobs.values()) >= len(before)
    assert jobs["running"] >= 1


@pytest.fixture
def due_soon(stack: Stack) -> Iterator[str]:
    """The name of an entry of the schedule that is due in a moment, and then not for an hour."""
    name = uuid4().hex
    django_code.run(stack, _MAKE.format(name=name, due_in_s=DUE_IN_S))
    yield name
    postgres.ask(stack, _DELETE, name=name)


def test_a_restore_takes_a_running_stack_back(stack: Stack, member: Api, folder: Path, due_soon: str) -> None:
    old = member.submit("probe.cpu.echo", args=["old"])
    member.wait(old)
    waits = member.submit("probe.io.echo", args=["waits"], countdown=3)
    known = _submit_once(member, key="of before")
    backup = _back_up(stack, folder)
    new = member.submit("probe.cpu.effect", args=["of the other timeline"])
    member.wait(new)
    forgotten = _submit_once(member, key="of the other timeline")
    waiting.until(lambda: postgres.number(stack, _FIRED, name=due_soon), within_s=30, what="the entry has fired")

    _kill_one(stack, backup, after="unpacking its files")
    assert member.job(new)["state"] == "succeeded"
    with load.on(member) as loaded:
        _restore(stack, backup)

    assert member.job(old)["result"] == "old"
    assert member.wait(waits)["result"] == "waits"
    assert member.get(f"/api/jobs/{new}/").status_code == httpx.codes.NOT_FOUND
    assert not postgres.ask(stack, _ROWS, names="of the other timeline")
    assert loaded.said, "nothing was accepted meanwhile, so nothing was tried"
    assert _submit_once(member, key="of before") == known
    assert _submit_once(member, key="of the other timeline") != forgotten
    waiting.until(lambda: postgres.number(stack, _FIRED, name=due_soon), within_s=30, what="the tick is caught up with")
    assert member.wait(member.submit("probe.cpu.effect", args=["of this timeline"]))["state"] == "succeeded"
    assert postgres.number(stack, _FIRED, name=due_soon) == 1
    assert postgres.ask(stack, "SELECT datname FROM pg_database WHERE datname = 'restoring'") == []


def test_a_database_that_workers_use_is_not_prepared_and_one_without_is(stack: Stack, member: Api) -> None:
    prepare = ("web", "python", "manage.py", "prepare_restored")
    with pytest.raises(CommandFailedError, match="workers use this database"):
        stack.execute(*prepare)

    with stack.stopped(*WORKERS):
        given = [member.submit("probe.cpu.effect", args=[f"sent twice {number}"]) for number in range(5)]
        for job_id in given:
            member.wait(job_id, states=("queued",))
        stack.execute(*prepare)

    assert {member.wait(job_id)["state"] for job_id in given} == {"succeeded"}


def test_what_the_cron_job_of_kubernetes_keeps_is_whole_and_not_more_than_it_should(
    stack: Stack, tmp_path: Path
) -> None:
    once = (
        "run",
        "--rm",
        "--no-deps",
        "--no-TTY",
        "--env",
        "POSTGRES_HOST=postgres",
        "--entrypoint",
        "bash",
        "postgres",
    )
    said = stack.compose(*once, "-c", KEEP_THREE_TIMES)

    with tarfile.open(fileobj=BytesIO(b64decode(said))) as archive:
        archive.extractall(tmp_path, filter="data")
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 2
    for backup in kept:
        stack.host("verify-backup", str(backup))
        assert {each.name for each in backup.iterdir()} == {"database.dump", "media.tar", "manifest.json"}


@pytest.fixture(scope="module")
def backup(shared_stack: Stack, folder: Path) -> Path:
    return _back_up(shared_stack, folder)


@pytest.fixture
def copy(backup: Path, tmp_path: Path) -> Path:
    return shutil.copytree(backup, tmp_path / "copy")


def _flip(copy: Path) -> str:
    """One bit of the disk is wrong."""
    content = bytearray((copy / "database.dump").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "database.dump").write_bytes(content)
    return "its files are not what its manifest says"


def _without_manifest(copy: Path) -> str:
    (copy / "manifest.json").unlink()
    return "there is no manifest.json"


def _cut(copy: Path) -> str:
    """Half of a dump, which somebody has called whole: found out while it is loaded."""
    _replace(copy, (copy / "database.dump").read_bytes()[: (copy / "database.dump").stat().st_size // 2])
    return r"pg_restore: error[\s\S]*the database is as it was"


def _too_large_for_the_disk(copy: Path) -> str:
    """The dump is of a database of a petabyte."""
    manifest = (copy / "manifest.json").read_text()
    (copy / "manifest.json").write_text(re.sub(r'(?<="bytes": )\d+(?=.*"taken_at")', str(10**15), manifest))
    return "no room: Postgres' disk has"


def _with_other_counts(copy: Path) -> str:
    """The manifest counts a job that the dump has not."""
    manifest = (copy / "manifest.json").read_text()
    (copy / "manifest.json").write_text(manifest.replace('"jobs": {', '"jobs": {"imagined": 1, '))
    return "jobs that the manifest counts"


@pytest.mark.parametrize("damage", [_flip, _without_manifest, _cut, _too_large_for_the_disk, _with_other_counts])
def test_a_damaged_backup_is_refused_and_nothing_is_changed(stack: Stack, member: Api, copy: Path, damage: Any) -> None:
    new = member.submit("probe.cpu.echo", args=["newer than the backup"])
    member.wait(new)
    postgres.ask(stack, "DROP DATABASE IF EXISTS replaced")
    words, before = damage(copy), _running_since(stack)

    with pytest.raises(CommandFailedError, match=words):
        stack.host("restore", str(copy))

    assert member.job(new)["result"] == "newer than the backup"
    assert _running_since(stack) == before
    assert postgres.ask(stack, "SELECT 1 FROM pg_database WHERE datname = 'restoring'") == []


def test_a_backup_of_a_newer_release_is_refused_and_nothing_is_changed(
    stack: Stack,
    folder: Path,
    forgotten: None,  # noqa: ARG001  tidies up
) -> None:
    postgres.ask(stack, "INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '0099_new', now())")
    backup = _back_up(stack, folder)
    postgres.ask(stack, _FORGET_MIGRATION)
    postgres.ask(stack, "ALTER ROLE warren_beat CONNECTION LIMIT 9; DROP DATABASE IF EXISTS replaced")
    before = _running_since(stack)

    with pytest.raises(CommandFailedError, match=r"this one does not have accounts\.0099_new"):
        stack.host("restore", str(backup))

    assert postgres.ask(stack, _BEATS) == [["9"]], "what all databases share was changed"
    assert _running_since(stack) == before


def test_a_backup_beside_a_migration_fails(stack: Stack, folder: Path, forgotten: None) -> None:  # noqa: ARG001  tidies up
    migrate = ("exec", "--no-TTY", "postgres", "psql", "--username", "warren", "--quiet", "--command")

    with subprocess.Popen(stack.command(*migrate, _MIGRATE_MEANWHILE), cwd=ROOT) as migration:
        waiting.until(lambda: postgres.ask(stack, _IS_LOCKED), within_s=20, what="the migration has its lock")
        with pytest.raises(CommandFailedError, match="a migration ran meanwhile"):
            _back_up(stack, folder)

    assert migration.returncode == 0


@pytest.fixture
def forgotten(stack: Stack) -> Iterator[None]:
    yield
    postgres.ask(stack, f"{_FORGET_MIGRATION}; ALTER ROLE warren_beat CONNECTION LIMIT 10")


def test_the_database_before_the_last_restore_is_not_dropped_by_the_next(stack: Stack, backup: Path) -> None:
    postgres.ask(stack, "DROP DATABASE IF EXISTS replaced")
    postgres.ask(stack, "CREATE DATABASE replaced")
    before = _running_since(stack)

    with pytest.raises(CommandFailedError, match="dropdb -U warren replaced"):
        stack.host("restore", str(backup))

    assert postgres.ask(stack, "DROP DATABASE replaced") == []
    assert _running_since(stack) == before


def test_all_is_as_it_was_when_a_restore_fails_at_its_last_step(stack: Stack, member: Api, backup: Path) -> None:
    waits = member.submit("probe.cpu.effect", args=["newer than the backup, too"], countdown=20)
    postgres.ask(stack, "DROP DATABASE IF EXISTS replaced")
    ids = {str(each.ID) for each in stack.containers() if each.Service not in ONE_SHOTS}

    with stack.begin("restore", str(backup)) as restore:
        _read_until(restore, "unpacking its files")
        postgres.ask(stack, "CREATE DATABASE replaced")  # where the present one would be kept
        said = restore.stderr.read() if restore.stderr else ""

    postgres.ask(stack, "DROP DATABASE replaced")
    assert restore.returncode != 0
    assert "starting again what ran" in said
    lasting = [each for each in stack.containers() if each.Service not in ONE_SHOTS]
    assert {each.Health for each in lasting} == {"healthy"}
    assert {str(each.ID) for each in lasting} == ids
    assert member.wait(waits)["state"] == "succeeded"
    assert postgres.ask(stack, "SELECT datname FROM pg_database WHERE datname = 'restoring'") == []
    assert ".restoring" not in stack.execute("web", "ls", "-A", "/var/lib/warren/media").split()


def test_there_are_no_two_restores_at_once(stack: Stack, backup: Path) -> None:
    with _locked(ROOT / "compose/host/restore"), pytest.raises(CommandFailedError, match="another one is under way"):
        stack.host("restore", str(backup))


def test_a_backup_takes_away_what_a_killed_one_left_but_not_one_that_is_being_written(
    stack: Stack, tmp_path: Path
) -> None:
    left = tmp_path / "backups/.2026-11-23T03-17-00Z.part"
    left.mkdir(parents=True)

    with _locked(left.parent), pytest.raises(CommandFailedError, match="another one is being written"):
        _back_up(stack, tmp_path)
    assert left.exists()
    made = _back_up(stack, tmp_path)

    assert list(left.parent.iterdir()) == [made]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def test_a_backup_is_refused_when_the_stack_does_not_run(stack: Stack, folder: Path) -> None:
    with pytest.raises(CommandFailedError, match="postgres does not run; start the stack"):
        stack.host("backup", str(folder / "none"), COMPOSE_PROJECT_NAME="warren-test-nobody")

    assert not (folder / "none").exists()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A place with almost no room: the container's /dev/shm is a file system of 64 MB."""
    path = Path("/dev/shm/warren-backups")  # noqa: S108  a file system of its own is what is wanted
    path.mkdir()
    filler = path / "filler"
    filler.write_bytes(b"\0" * (shutil.disk_usage(path).free - 40_000))
    yield path
    shutil.rmtree(path)


def test_nothing_is_left_of_a_backup_for_which_there_is_no_room(stack: Stack, small_disk: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"No space left on device[\s\S]*nothing of it is left"):
        stack.host("backup", str(small_disk))

    assert [each.name for each in small_disk.iterdir()] == ["filler"]


def _back_up(stack: Stack, folder: Path) -> Path:
    return Path(stack.host("backup", str(folder / "backups")).splitlines()[-1])


def _restore(stack: Stack, backup: Path) -> None:
    postgres.ask(stack, "DROP DATABASE IF EXISTS replaced")
    stack.host("restore", str(backup))


def _kill_one(stack: Stack, backup: Path, *, after: str) -> None:
    """A restore that is killed once it has said this."""
    postgres.ask(stack, "DROP DATABASE IF EXISTS replaced")
    with stack.begin("restore", str(backup)) as restore:
        _read_until(restore, after)
        os.killpg(restore.pid, signal.SIGKILL)


def _read_until(restore: subprocess.Popen[str], words: str) -> None:
    assert restore.stderr
    said: list[str] = []
    for line in restore.stderr:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"it ended before {words!r}: {''.join(said)}")


def _submit_once(member: Api, *, key: str) -> str:
    job = {"task": "probe.cpu.echo", "args": ["once"]}
    return str(member.post("/api/jobs/", job, headers={"Idempotency-Key": key}).json()["id"])


def _replace(copy: Path, dump: bytes) -> None:
    before = sha256((copy / "database.dump").read_bytes()).hexdigest()
    (copy / "database.dump").write_bytes(dump)
    manifest = (copy / "manifest.json").read_text()
    (copy / "manifest.json").write_text(manifest.replace(before, sha256(dump).hexdigest()))


def _running(member: Api) -> str:
    job_id = member.submit("probe.io.wait_until_cancelled", kwargs={"seconds": LONG_S})
    member.wait(job_id, states=("running",))
    return job_id


def _thumbnail(member: Api) -> dict[str, Any]:
    file = BytesIO()
    Image.new("RGB", (400, 300), "red").save(file, "PNG")
    accepted = member.request("POST", "/api/images/", files={"file": ("red.png", file.getvalue(), "image/png")}).json()
    url = str(member.result(accepted["task_id"])["result"][0]["url"])
    return {"url": url, "content": member.get(url).content}


def _left_in_the_broker(stack: Stack, member: Api) -> dict[str, str]:
    """Jobs of after the backup, which the broker still has when their rows are gone."""
    stack.compose("stop", *WORKERS)
    gone = {member.submit("probe.cpu.effect", args=[text]): text for text in _texts(5)}
    for job_id in gone:
        member.wait(job_id, states=("queued",))
    return gone


def _texts(count: int) -> Iterable[str]:
    return (f"of after the backup {number}" for number in range(count))


def _running_since(stack: Stack) -> dict[str, str]:
    lasting = [each for each in stack.containers() if each.Service not in ONE_SHOTS]
    return {str(each.ID): stack.inspect(each)["State"]["StartedAt"] for each in lasting}

"""Reads from the stack what the judge needs."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx

from tests.chaos.entries import Books, Entry, JobRow
from tests.stack import postgres
from tests.stack.api import Api
from tests.stack.stack import Stack

READERS = 4
API_EVERY = 8  # of the results is read over the API too; all are read by AsyncResult, from the same row

# A job is told by its id, and where the answer with the id did not come, by its key.
_JOBS = """
SELECT row_to_json(found) FROM (
    SELECT id, queue, coalesce(arguments::json -> 1 ->> 'key', '') AS key, state, attempt, worker, created_at,
           queued_at, started_at, finished_at,
           traceback || coalesce(CASE WHEN state <> 'succeeded' THEN result END, '') AS error
    FROM warren_job WHERE created_at >= :'since' AND task <> 'ledger.io.tick'
) found
"""
_EFFECTS = "SELECT json_object_agg(key, count) FROM (SELECT key, count(*) FROM ledger_effect GROUP BY key) counted"
_MOMENTS = ("created_at", "queued_at", "started_at", "finished_at")


def close(stack: Stack, admin: Api, *, entries: Sequence[Entry], since: str) -> Books:
    """The books of a run that is over. `since` is the moment of its beginning, by Postgres' clock."""
    key_of = {step.job_id: step.key for entry in entries for step in entry.steps if step.job_id}
    keys = {step.key for entry in entries for step in entry.steps}
    found = [_row(line, key_of) for line in _json_lines(stack, _JOBS, since=since)]
    jobs = [row for row in found if row.key in keys]
    ids = [row.id for row in jobs if row.state == "succeeded"]
    (effects,) = _json_lines(stack, _EFFECTS)
    (closed_at,) = _json_lines(stack, "SELECT to_json(clock_timestamp())")
    return Books(
        entries=list(entries),
        jobs=jobs,
        effects=effects or {},
        closed_at=datetime.fromisoformat(closed_at),
        async_results=_async_results(stack, ids),
        api_results=_api_results(admin, ids[::API_EVERY]),
    )


def _row(found: dict[str, Any], key_of: dict[str, str]) -> JobRow:
    moments = {name: datetime.fromisoformat(found[name]) if found[name] else None for name in _MOMENTS}
    return JobRow(**{**found, **moments, "key": key_of.get(found["id"], found["key"]), "error": found["error"][:300]})


def _json_lines(stack: Stack, statement: str, **values: str) -> list[Any]:
    return [json.loads("|".join(line) or "null") for line in postgres.ask(stack, statement, **values)]


def _async_results(stack: Stack, ids: list[str]) -> dict[str, Any]:
    said = stack.execute("producer", "python", "manage.py", "ledger_results", stdin=json.dumps(ids))
    return dict(json.loads(said.splitlines()[-1]))


def _api_results(admin: Api, ids: list[str]) -> dict[str, Any]:
    headers = {"Authorization": f"Token {admin.token}"}
    with (
        httpx.Client(base_url=admin.base_url, headers=headers, timeout=30, trust_env=False) as client,
        ThreadPoolExecutor(READERS) as pool,
    ):
        return dict(zip(ids, pool.map(lambda job_id: _api_result(client, job_id), ids), strict=True))


def _api_result(client: httpx.Client, job_id: str) -> Any:
    answer = client.get(f"/api/jobs/{job_id}/")
    if answer.status_code != httpx.codes.OK:
        return f"{answer.status_code} {answer.text[:200]}"
    return answer.json()["result"]

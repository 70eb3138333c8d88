"""Compares what was accepted with what has become of it. Pure: it is tested without a stack (tests/check)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.entries import Books, Entry, JobRow, Outcome, Step

SUCCEEDED = "succeeded"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Each list names what is wrong, one text for each case; all are empty if the promise was kept."""

    accepted: int
    jobs: int
    not_accepted: int
    repeated_attempts: int
    lost: list[str]
    duplicated: list[str]
    wrong: list[str]

    @property
    def kept(self) -> bool:
        return not (self.lost or self.duplicated or self.wrong)

    def __str__(self) -> str:
        told = [f"{self.accepted} submissions accepted ({self.jobs} jobs), {self.not_accepted} not"]
        for name, cases in (("lost", self.lost), ("duplicated", self.duplicated), ("wrong", self.wrong)):
            told += [f"{name}: {len(cases)}", *(f"  {case}" for case in cases[:10])]
        return "\n".join(told)


def judge(books: Books) -> Verdict:
    """What was accepted must be final, succeeded, readable and have its effects; of the rest nothing may exist."""
    rows = defaultdict(list)
    for row in books.jobs:
        rows[row.key].append(row)
    taken = [entry for entry in books.entries if _was_taken(entry, rows)]
    refused = [entry for entry in books.entries if not _was_taken(entry, rows)]
    steps = [step for entry in taken for step in entry.steps]
    return Verdict(
        accepted=len(taken),
        jobs=len(steps),
        not_accepted=len(refused),
        repeated_attempts=sum(row.attempt > 1 for row in books.jobs),
        lost=[case for step in steps for case in _losses(step, rows[step.key], books)],
        duplicated=[case for step in steps for case in _duplicates(step, rows[step.key], books)],
        wrong=[
            *(case for step in steps for case in _wrong_results(step, rows[step.key], books)),
            *(case for entry in refused for case in _traces(entry, rows, books)),
        ],
    )


def _was_taken(entry: Entry, rows: dict[str, list[JobRow]]) -> bool:
    if entry.outcome is Outcome.UNKNOWN:
        return any(rows.get(step.key) for step in entry.steps)
    return entry.outcome is Outcome.ACCEPTED


def _losses(step: Step, rows: list[JobRow], books: Books) -> Iterator[str]:
    if not rows:
        yield f"{step.key} ({step.job_id}): no job"
    elif all(row.state != SUCCEEDED for row in rows):
        yield from map(str, rows)
    elif not books.effects.get(step.key):
        yield f"{step.key} ({step.job_id}): succeeded without its effect"


def _duplicates(step: Step, rows: list[JobRow], books: Books) -> Iterator[str]:
    if len(rows) > 1:
        yield f"{step.key}: {len(rows)} jobs"
    if step.once and (count := books.effects.get(step.key, 0)) > 1:
        yield f"{step.key}: {count} effects; {rows[0] if rows else 'no job'}"


def _wrong_results(step: Step, rows: list[JobRow], books: Books) -> Iterator[str]:
    for row in rows:
        if step.job_id and row.id != step.job_id:
            yield f"{step.key}: accepted as {step.job_id}, but its job is {row.id}"
        if row.state == SUCCEEDED and (given := books.async_results.get(row.id)) != step.value:
            yield f"{step.key} ({row.id}): AsyncResult gives {given!r}, not {step.value!r}"
        if row.id in books.api_results and (given := books.api_results[row.id]) != step.value:
            yield f"{step.key} ({row.id}): the API gives {given!r}, not {step.value!r}"


def _traces(entry: Entry, rows: dict[str, list[JobRow]], books: Books) -> Iterator[str]:
    for step in entry.steps:
        if rows.get(step.key) or books.effects.get(step.key):
            yield f"{step.key}: never accepted, but it left {rows.get(step.key)}, {books.effects.get(step.key)} effects"

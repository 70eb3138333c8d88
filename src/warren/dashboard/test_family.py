"""The jobs around a job, and their drawing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import chain, chord, shared_task
from pytest_django import DjangoAssertNumQueries

from warren.dashboard import family, graph
from warren.dashboard.family import Relative
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@shared_task(name="family.step", queue="cpu")
def step(*_given: Any) -> None:
    """Nothing."""


def _after(job: Job) -> dict[str, set[str]]:
    return {each.id: each.after for each in family.of(job, jobs=Job.objects.all()).relatives}


@pytest.mark.django_db
def test_a_job_by_itself_has_none(make_job: MakeJob) -> None:
    make_job(id="other", root_id="other")

    assert _after(make_job(id="one", root_id="one")) == {"one": set()}


@pytest.mark.django_db
def test_a_chain_is_known_from_each_of_its_jobs(make_job: MakeJob) -> None:
    one = make_job(State.SUCCEEDED, id="one", root_id="one", created_at=NOON)
    two = make_job(State.RUNNING, id="two", root_id="one", parent_id="one", created_at=NOON + timedelta(seconds=1))

    assert _after(one) == _after(two) == {"one": set(), "two": {"one"}}


@pytest.mark.django_db
def test_steps_that_were_not_sent_are_known_from_the_message() -> None:
    result: Any = chain(step.si(), step.si(), step.si()).apply_async()

    job = Job.objects.get()
    relatives = family.of(job, jobs=Job.objects.all()).relatives

    assert [each.id for each in relatives] == [result.parent.parent.id, result.parent.id, result.id]
    assert [each.state for each in relatives] == ["accepted", "", ""]
    assert [each.after for each in relatives] == [set(), {relatives[0].id}, {relatives[1].id}]


@pytest.mark.django_db
def test_a_chord_is_known_from_its_parts() -> None:
    result: Any = chord([step.s(1), step.s(2), step.s(3)])(step.s())

    parts = list(Job.objects.values_list("pk", flat=True))
    for job in Job.objects.all():
        after = _after(job)
        assert after.keys() == {*parts, result.id}
        assert after[result.id] == set(parts)


@pytest.mark.django_db
def test_a_body_that_was_sent_came_from_all_parts(make_job: MakeJob) -> None:
    for name in ("a", "b"):
        make_job(State.SUCCEEDED, id=name, root_id=name, group_id="group")
    body = make_job(id="body", root_id="b", parent_id="b")

    assert _after(body) == {"a": set(), "b": set(), "body": {"a", "b"}}


@pytest.mark.django_db
def test_what_a_job_submitted_is_its_child_and_strangers_are_not_shown(make_job: MakeJob, stranger: Any) -> None:
    parent = make_job(id="parent", root_id="parent")
    make_job(id="child", root_id="parent", parent_id="parent")
    make_job(id="his", root_id="parent", parent_id="parent", owner=stranger)

    own = family.of(parent, jobs=Job.objects.filter(owner=parent.owner))

    assert {each.id: each.after for each in own.relatives} == {"parent": set(), "child": {"parent"}}


@pytest.mark.django_db
def test_a_large_family_is_cut_and_asks_no_more_often(
    make_job: MakeJob, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    root = make_job(id="root", root_id="root", message=json.dumps({"embed": {}}))
    for number in range(family.MOST + 5):
        make_job(id=f"{number}", root_id="root", parent_id="root", group_id="group")

    with django_assert_num_queries(2):  # a root whose message names nothing has no others to ask for
        found = family.of(root, jobs=Job.objects.all())

    assert found.more
    assert len(found.relatives) <= 2 * family.MOST + 1


def test_the_drawing_goes_from_left_to_right() -> None:
    relatives = [
        Relative(id="a", task="t.a", state="succeeded"),
        Relative(id="b", task="t.b", state="failed", after={"a"}),
        Relative(id="c", task="t.c", state="running", after={"a"}),
        Relative(id="d", task="a.very.long.name.of.a.task.indeed", after={"b", "c"}),
    ]

    drawing = graph.draw(relatives, here="b")

    boxes = {box.id: box for box in drawing.boxes}
    assert boxes["a"].x < boxes["b"].x == boxes["c"].x < boxes["d"].x
    assert boxes["b"].y != boxes["c"].y
    assert len(drawing.lines) == 4
    assert [box.id for box in drawing.boxes if box.is_here] == ["b"]
    assert (boxes["d"].is_sent, boxes["d"].state, len(boxes["d"].name)) == (False, "not sent yet", graph.LONGEST_NAME)
    assert all(box.x + graph.WIDTH <= drawing.width and box.y + graph.HEIGHT <= drawing.height for box in drawing.boxes)


def test_a_circle_is_drawn_too() -> None:
    drawing = graph.draw([Relative(id="a", task="", after={"b"}), Relative(id="b", task="", after={"a"})], here="a")

    assert {box.id for box in drawing.boxes} == {"a", "b"}

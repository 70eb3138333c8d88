"""The pages, as a browser without JavaScript meets them, and their live part."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from warren.delivery.errors import QueueFullError
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs import idempotent
from warren.jobs.conftest import MakeJob
from warren.try_it import outcome, trials, views

pytestmark = pytest.mark.django_db

GOOD = {"number": "3", "names": "a\nb", "colour": "red", "moment": "2026-05-01T08:00", "loud": "on"}
PATH = "/try/try_it.everything/"
LIVE = {"HX-Request": "true"}


def test_it_asks_who_one_is_first(client: Client, make_job: MakeJob) -> None:
    job = make_job(task="try_it.everything")

    for path in ("/try/", PATH, f"{PATH}{job.pk}/"):
        answer: Any = client.get(path)
        assert (answer.status_code, f"next={path}" in answer.url) == (302, True)


def test_the_first_page_has_the_featured_forms_and_leads_to_every_other_task(browser: Client) -> None:
    page = browser.get("/try/").content.decode()

    for task in ("arithmetic.add", "images.make_thumbnails", "fetching.fetch_urls", "reports.make_report"):
        assert f'action="/try/{task}/"' in page, task
    assert f'<a href="{PATH}">try_it.everything</a> <span class="muted">Take an argument of each kind.</span>' in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_each_field_has_its_label_and_its_help(browser: Client) -> None:
    page = browser.get(PATH).content.decode()

    for name in ("number", "names", "colour", "moment", "note", "loud", "extra"):
        assert f'<label for="try_it-everything-{name}">' in page, name
    assert 'min="0" max="10" step="any" aria-required="true" aria-describedby="try_it-everything-number-help"' in page
    assert '<p class="muted small" id="try_it-everything-number-help">A small one.</p>' in page
    assert "Note <span" in page


def test_a_form_can_begin_with_what_an_earlier_job_was_called_with(
    browser: Client, make_job: MakeJob, user: Any
) -> None:
    kwargs = {
        "names": ["a", "<b>"],
        "colour": "blue",
        "moment": "2026-05-01T08:00:00Z",
        "loud": True,
        "extra": {"x": 1},
    }
    job = make_job(task="try_it.everything", owner=user, arguments=json.dumps([[3], kwargs]))

    page = browser.get(f"{PATH}?like={job.pk}").content.decode()

    fields = {
        name: re.search(rf'<[^>]* name="{name}"[^>]*>[^<]*', page)
        for name in ("number", "names", "moment", "loud", "extra")
    }
    shown = {name: found.group() for name, found in fields.items() if found}
    assert 'value="3"' in shown["number"]
    assert "a\n&lt;b&gt;" in shown["names"]
    assert 'value="2026-05-01T08:00:00"' in shown["moment"]
    assert " checked" in shown["loud"]
    assert "{&quot;x&quot;: 1}" in shown["extra"]
    assert re.search(r"<option[^>]* selected[^>]*>blue", page)


def test_a_form_begins_with_no_job_of_a_stranger_or_of_another_task(
    browser: Client, make_job: MakeJob, user: Any, stranger: Any
) -> None:
    theirs, another = make_job(task="try_it.everything", owner=stranger), make_job(task="some.task", owner=user)

    assert [browser.get(f"{PATH}?like={each}").status_code for each in (theirs.pk, another.pk, "none")] == [404] * 3


def test_a_good_form_makes_the_users_job_and_leads_to_its_page(browser: Client, user: Any) -> None:
    answer: Any = browser.post(PATH, GOOD)

    [job] = Job.objects.all()
    assert (answer.status_code, answer.url) == (302, f"{PATH}{job.pk}/")
    assert (job.task, job.owner) == ("try_it.everything", user)
    assert (job.kwargs["number"], job.kwargs["names"], job.kwargs["loud"]) == (3, ["a", "b"], True)
    page = browser.get(answer.url).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert 'hx-trigger="every 1s"' in page
    assert outcome.WORDS[State.ACCEPTED] in page


def test_a_bad_form_says_what_is_wrong_beside_each_field_and_keeps_what_was_typed(browser: Client) -> None:
    answer = browser.post(PATH, {**GOOD, "number": "eleven", "names": "a\nmuch too long", "note": "<b>"})

    page = answer.content.decode()
    assert (answer.status_code, Job.objects.exists()) == (400, False)
    assert '<div role="alert">' in page
    assert 'value="eleven"' in page
    assert "&#x27;eleven&#x27; is not a number." in page
    assert '<a href="#try_it-everything-number">Number</a>' in page
    assert 'aria-invalid="true" aria-describedby="try_it-everything-number-error try_it-everything-number-help"' in page
    assert "Line 2: " in page
    assert "a\nmuch too long</textarea>" in page
    assert 'value="&lt;b&gt;"' in page
    assert "Not sent: try_it.everything" in page


def test_what_is_missing_is_said(browser: Client) -> None:
    page = browser.post(PATH, {}).content.decode()

    assert page.count('aria-invalid="true"') == 4


def test_a_second_click_is_the_first_ones_job_and_a_change_another(browser: Client) -> None:
    first, second = (browser.post(PATH, {**GOOD, "key": "k"}) for _ in range(2))
    changed = browser.post(PATH, {**GOOD, "number": "4", "key": "k"})

    assert first.headers["Location"] == second.headers["Location"] != changed.headers["Location"]
    assert Job.objects.count() == 2


def test_a_form_that_somebody_made_up_is_no_error_of_ours(browser: Client) -> None:
    assert browser.post(PATH, {**GOOD, "key": "\x00"}).status_code == 400
    assert browser.post(PATH, {**GOOD, "key": "x" * 300}).status_code == 400


def test_it_says_that_too_much_waits(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise QueueFullError("100 000 jobs wait for cpu")

    monkeypatch.setattr(idempotent, "submit", refuse)

    answer = browser.post(PATH, GOOD)

    assert answer.status_code == 503
    assert "try again in a moment" in answer.content.decode()


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_words_and_only_open_ones_ask_again(
    browser: Client, make_job: MakeJob, state: State
) -> None:
    job = make_job(state, task="try_it.everything", result='["a <b>"]' if state == State.SUCCEEDED else None)

    page, live = browser.get(f"{PATH}{job.pk}/"), browser.get(f"{PATH}{job.pk}/", headers=LIVE)

    assert outcome.WORDS[state] in page.content.decode()
    asks_again = not job.is_final
    assert [b"hx-get" in page.content, b'http-equiv="refresh"' in page.content] == [asks_again] * 2
    assert (live.status_code, b"<html" in live.content) == (200 if asks_again else views.STOP_POLLING, False)
    assert live.content.strip().startswith(b'<div id="outcome"')
    if state == State.SUCCEEDED:
        assert "a &lt;b&gt;" in page.content.decode()


def test_it_shows_progress_and_errors(browser: Client, make_job: MakeJob) -> None:
    told = json.dumps({"state": "PROGRESS", "meta": {"done": 1, "of": 3}})
    running = make_job(State.RUNNING, task="try_it.everything", progress=told)
    error = json.dumps({"exc_type": "ValueError", "exc_message": ["no luck"], "exc_module": "builtins"})
    failed = make_job(State.FAILED, task="try_it.everything", result=error)

    at_it, over = (browser.get(f"{PATH}{job.pk}/").content.decode() for job in (running, failed))

    assert '<progress id="progress" max="100" value="33" aria-label="Progress">' in at_it
    assert "1 of 3" in at_it
    assert "<strong>ValueError</strong>: no luck" in over


@pytest.mark.parametrize("meta", [None, 5, {"done": 1}, {"done": "1", "of": "3"}, {"done": 0, "of": 0}], ids=str)
def test_any_progress_can_be_shown(browser: Client, make_job: MakeJob, meta: Any) -> None:
    told = json.dumps({"state": "PROGRESS", "meta": meta})
    job = make_job(State.RUNNING, task="try_it.everything", progress=told)

    assert browser.get(f"{PATH}{job.pk}/").status_code == 200


def test_other_peoples_jobs_and_other_tasks_are_not_there(
    browser: Client, client: Client, make_job: MakeJob, stranger: Any
) -> None:
    own, other = make_job(task="some.task"), make_job(task="try_it.everything", owner=stranger)

    for path in (f"{PATH}{own.pk}/", f"{PATH}{other.pk}/", f"{PATH}nothing/", "/try/no.task/", f"{PATH}%00/"):
        assert browser.get(path).status_code == 404, path
    assert client.post("/try/celery.backend_cleanup/").status_code == 404


@pytest.mark.parametrize("state", [State.RUNNING, State.SUCCEEDED, State.FAILED])
@pytest.mark.parametrize("path", ["/try/", PATH, f"{PATH}?like=this", f"{PATH}this/"])
def test_it_asks_as_often_for_many_jobs_as_for_one(browser: Client, make_job: MakeJob, path: str, state: State) -> None:
    result = json.dumps(["a"]) if state == State.SUCCEEDED else None
    make_job(state, id="this", task="try_it.everything", result=result)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status_code == 200
        counts.append(len(queries))
        for each in (*State, *State):
            make_job(each, task="try_it.everything", result=result)

    # the session and its user; and the job, where there is one
    assert counts[0] == counts[1] == 2 + ("this" in path)


def test_a_form_from_elsewhere_is_refused(user: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert strict.post(PATH, GOOD).status_code == 403


def test_a_task_has_one_form() -> None:
    with pytest.raises(ValueError, match="each has one form"):
        trials.register(trials.Trial(task="arithmetic.add", title="again"))
    with pytest.raises(ValueError, match="or neither"):
        trials.register(trials.Trial(task="some.other", title="half", arguments=type("A", (), {})))

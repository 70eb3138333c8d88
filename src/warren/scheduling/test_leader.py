import socket
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from warren.scheduling.conftest import Beat, backend_pid
from warren.scheduling.leader import STALE_AFTER
from warren.scheduling.models import ScheduleLeader

type Beats = tuple[Beat, Beat]


def make_stale(by: timedelta = STALE_AFTER) -> None:
    """The leader looks as if it had last renewed that much earlier."""
    ScheduleLeader.objects.update(seen_at=F("seen_at") - by)


def let_pass(beat: Beat) -> None:
    """So much time that it must renew."""
    beat.scheduler._leader._renewed_at = float("-inf")


def session(beat: Beat) -> int:
    return beat.do(backend_pid)


def may_write(beat: Beat) -> bool:
    return beat.do(beat.scheduler._leader.may_write)


def test_it_leads_alone_when_two_run(beats: Beats) -> None:
    first, second = beats

    assert [first.turn(), second.turn(), first.turn(), second.turn()] == [True, False, True, False]


def test_the_row_says_who_leads_and_since_when(beats: Beats) -> None:
    first, _ = beats

    first.turn()

    row = ScheduleLeader.objects.get()
    assert (row.name, row.backend_pid) == (socket.gethostname(), session(first))
    assert timezone.now() - row.since < timedelta(seconds=10)


def test_it_takes_over_at_once_when_the_leader_dies(beats: Beats) -> None:
    first, second = beats
    first.turn()
    second.turn()

    first.die()

    assert second.turn()
    assert ScheduleLeader.objects.get().backend_pid == session(second)


def test_it_leaves_a_leader_alone_that_was_seen_lately(beats: Beats) -> None:
    first, second = beats
    first.turn()
    make_stale(STALE_AFTER - timedelta(seconds=5))

    assert not second.turn(3)

    assert may_write(first)


def test_it_ends_the_session_of_a_leader_that_was_not_seen_for_long(beats: Beats) -> None:
    first, second = beats
    first.turn()
    make_stale()

    assert second.leads_soon()

    with pytest.raises(OperationalError):
        session(first)


def test_the_old_leader_follows_when_it_thaws(beats: Beats) -> None:
    first, second = beats
    first.turn()
    make_stale()
    second.leads_soon()
    let_pass(first)

    thawed = [first.turn() for _ in range(3)]

    assert not any(thawed)
    assert second.turn()


def test_it_renews_its_row_while_it_leads(beats: Beats) -> None:
    first, second = beats
    first.turn()
    make_stale()
    let_pass(first)

    first.turn()

    assert not second.turn(2)
    assert may_write(first)


def test_it_steps_down_when_its_row_was_deleted(beats: Beats) -> None:
    first, second = beats
    first.turn()
    ScheduleLeader.objects.all().delete()
    let_pass(first)

    assert not first.turn()

    assert second.turn()


def test_it_steps_down_when_its_session_was_replaced_unseen(beats: Beats) -> None:
    first, second = beats
    first.turn()
    first.die()
    let_pass(first)

    assert not first.turn()

    assert second.turn()


def test_nobody_else_may_write_while_one_leads(beats: Beats) -> None:
    first, second = beats
    first.turn()

    assert (may_write(first), may_write(second)) == (True, False)

"""The half of the result backend that knows groups: saved `GroupResult`s, and chords, which wait for one."""

from typing import Any, cast, override

from celery import Celery
from celery.app.task import Context
from celery.backends.base import BaseBackend
from celery.result import GroupResult, result_from_tuple

from warren.delivery import chords
from warren.delivery.models import ResultGroup


class GroupingBackend(BaseBackend):
    """Keeps a group in `ResultGroup`, and counts a chord's parts in `Chord`."""

    app: Celery

    @override
    def apply_chord(self, header_result_args: tuple[Any, ...], body: Any, **_kwargs: Any) -> None:
        """Remember the chord's parts; the last to return sends the body. Replaces Celery's polling `chord_unlock`."""
        GroupResult(*header_result_args).save(backend=self)

    @override
    def set_chord_size(self, group_id: str, chord_size: int) -> None:
        """Called by Celery just before it sends the last part."""
        chords.set_size(group_id, size=chord_size)

    @override
    def on_chord_part_return(self, request: Context, state: str, result: Any, **_kwargs: Any) -> None:
        """Called for each part, in the transaction that stored its outcome."""
        if request.group:
            chords.part_returned(self.app, group_id=request.group, body=request.chord)

    def _save_group(self, group_id: str, result: Any) -> Any:
        text = cast("str", self.encode(result.as_tuple()))  # celery-types calls it bytes; of JSON it is text
        ResultGroup.objects.update_or_create(pk=group_id, defaults={"result": text})
        return result

    def _restore_group(self, group_id: str) -> dict[str, Any] | None:
        saved = ResultGroup.objects.filter(pk=group_id).first()
        return {"result": self._group_from(saved), "task_id": group_id} if saved else None

    def _group_from(self, saved: ResultGroup) -> Any:
        return result_from_tuple(self.decode(saved.result.encode()), self.app)

    def _delete_group(self, group_id: str) -> None:
        ResultGroup.objects.filter(pk=group_id).delete()

"""`/api/task-result/` and `/api/tasks/`: what came of a task, and which can be called."""

from typing import Any

from celery import states
from celery.result import AsyncResult
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from warren.jobs import callable_tasks, presentable, visible
from warren.jobs.schema import errors
from warren.jobs.serializers import TaskResultSerializer, TaskSerializer

WORDING = {
    states.PENDING: "The task is waiting to be run.",
    states.STARTED: "The task is running.",
    states.SUCCESS: "The task has succeeded.",
    states.FAILURE: "The task has failed.",
}
SUCCEEDED = OpenApiExample(
    "Succeeded",
    value={
        "status": WORDING[states.SUCCESS],
        "state": states.SUCCESS,
        "ready": True,
        "successful": True,
        "failed": False,
        "result": 3,
    },
    response_only=True,
    status_codes=["200"],
)


class TaskResultView(APIView):
    """What came of a task."""

    @extend_schema(
        summary="Ask for a task's result",
        responses={200: TaskResultSerializer, **errors(401, 404)},
        examples=[SUCCEEDED],
    )
    def get(self, request: Request, task_id: str) -> Response:
        visible.find(task_id, user=request.user)
        return Response(answer(AsyncResult(task_id)))


class TasksView(APIView):
    """The tasks that can be called."""

    @extend_schema(
        summary="List the tasks that can be called",
        responses={200: TaskSerializer(many=True), **errors(401)},
    )
    def get(self, _request: Request) -> Response:
        return Response([callable_tasks.as_dict(callable_tasks.find(name)) for name in callable_tasks.names()])


def answer(result: AsyncResult[Any]) -> dict[str, Any]:
    """One of five answers: waiting, running, succeeded with `result`, failed with `error`, or another state, named.

    The state is read once: each look at an unfinished `AsyncResult` asks Postgres anew, and the answer must not
    contradict itself.
    """
    state = result.state
    body = {
        "status": WORDING.get(state, f"The task is in state {state}."),
        "state": state,
        "ready": state in states.READY_STATES,
        "successful": state == states.SUCCESS,
        "failed": state == states.FAILURE,
    }
    if state == states.SUCCESS:
        body["result"] = presentable.plain(result.result)
    if state == states.FAILURE:
        body["error"] = presentable.plain(str(result.result))
    return body

"""What the API says and hears about jobs."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs import events, failures, presentable
from warren.jobs.batch import MOST_JOBS
from warren.jobs.events import EventSerializer, FailureSerializer
from warren.jobs.fields import ExpiryField, MomentField, NumberField, TextField
from warren.jobs.submit import LONGEST_DELAY

LONGEST_DELAY_S = LONGEST_DELAY.total_seconds()


class LinksSerializer(serializers.Serializer[Any]):
    """Where to go on from a job."""

    self = serializers.URLField()
    result = serializers.URLField()
    cancel = serializers.URLField()
    retry = serializers.URLField()


class ProgressSerializer(serializers.Serializer[Any]):
    """What a running task last told of itself."""

    state = serializers.CharField(help_text="The state that the task chose, such as PROGRESS.")
    meta = serializers.JSONField()


class JobSummarySerializer(serializers.ModelSerializer[Job]):
    """A job in a list."""

    state = serializers.ChoiceField(choices=State.choices)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id",
            "task",
            "queue",
            "state",
            "priority",
            "attempt",
            "created_at",
            "available_at",
            "expires_at",
            "started_at",
            "finished_at",
            "links",
        )
        read_only_fields = fields

    @extend_schema_field(LinksSerializer)
    def get_links(self, job: Job) -> dict[str, str]:
        request = self.context["request"]
        names = {"self": "job", "result": "task-result", "cancel": "job-cancel", "retry": "job-retry"}
        return {key: reverse(name, args=[job.pk], request=request) for key, name in names.items()}


class JobSerializer(JobSummarySerializer):
    """All that is known of a job."""

    celery_state = serializers.CharField()
    args = serializers.SerializerMethodField()
    kwargs = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    history = serializers.SerializerMethodField()

    class Meta(JobSummarySerializer.Meta):
        fields = (
            *JobSummarySerializer.Meta.fields,
            "celery_state",
            "owner",
            "args",
            "kwargs",
            "progress",
            "result",
            "error",
            "worker",
            "root_id",
            "parent_id",
            "group_id",
            "history",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "array", "items": {}})
    def get_args(self, job: Job) -> list[Any]:
        return list(presentable.loads(job.arguments)[0])

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_kwargs(self, job: Job) -> dict[str, Any]:
        return dict(presentable.loads(job.arguments)[1])

    @extend_schema_field(ProgressSerializer(allow_null=True))
    def get_progress(self, job: Job) -> Any:
        return presentable.loads(job.progress)

    @extend_schema_field(OpenApiTypes.ANY)
    def get_result(self, job: Job) -> Any:
        return presentable.loads(job.result) if job.state == State.SUCCEEDED else None

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_error(self, job: Job) -> dict[str, str] | None:
        return failures.of(job)

    @extend_schema_field(EventSerializer(many=True))
    def get_history(self, job: Job) -> list[dict[str, Any]]:
        return events.history_of(job, context=self.context)


class SubmissionSerializer(serializers.Serializer[Any]):
    """A job to accept."""

    task = TextField(max_length=255, help_text="A name from /api/tasks/.")
    args = serializers.ListField(required=False, max_length=1000, help_text="Fill the task's arguments in order.")
    kwargs = serializers.DictField(required=False, help_text="The task's arguments by name.")
    countdown = NumberField(
        min_value=0,
        max_value=LONGEST_DELAY_S,
        required=False,
        allow_null=True,
        help_text="Seconds to wait; not with eta.",
    )
    eta = MomentField(required=False, allow_null=True, help_text="When to run, with a UTC offset; not with countdown.")
    expires = ExpiryField(
        longest_s=2 * LONGEST_DELAY_S,
        required=False,
        allow_null=True,
        help_text="Seconds from now or a moment; a job that has not started by then is not run.",
    )
    priority = serializers.IntegerField(
        min_value=0, max_value=9, required=False, allow_null=True, help_text="9 is the most urgent."
    )
    callback_url = TextField(
        required=False,
        allow_null=True,
        max_length=2000,
        write_only=True,
        help_text="An https address that is called, signed, when the job has ended.",
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        attrs: dict[str, Any] = super().to_internal_value(data)
        if unknown := set(data) - set(self.fields):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {name: [f"There is no such field; known: {known}."] for name in sorted(unknown)}
            )
        return attrs

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("countdown") is not None and attrs.get("eta") is not None:
            raise serializers.ValidationError({"eta": ["Give countdown or eta, not both."]})
        return attrs


class SubmittedSerializer(JobSummarySerializer):
    """The answer to an accepted job."""

    class Meta(JobSummarySerializer.Meta):
        fields = ("id", "state", "links")
        read_only_fields = fields


class BatchSerializer(serializers.Serializer[Any]):
    """Jobs to accept, all or none."""

    jobs = serializers.ListField(child=SubmissionSerializer(), min_length=1, max_length=MOST_JOBS)


class SubmittedInBatchSerializer(SubmittedSerializer):
    """One job of an accepted batch."""

    state = serializers.ChoiceField(
        choices=State.choices, allow_null=True, help_text="null: an earlier answer's job, deleted since."
    )


class SubmittedBatchSerializer(serializers.Serializer[Any]):
    """The answer to an accepted batch, in the order of the request."""

    jobs = SubmittedInBatchSerializer(many=True)


class TaskResultSerializer(serializers.Serializer[Any]):
    """How a task stands, in words and in Celery's terms."""

    status = serializers.CharField(help_text="In words.")
    state = serializers.CharField(
        help_text="Celery's state, such as PENDING, STARTED, RETRY, SUCCESS, FAILURE, REVOKED."
    )
    ready = serializers.BooleanField(help_text="It has ended, well or not.")
    successful = serializers.BooleanField()
    failed = serializers.BooleanField()
    result = serializers.JSONField(required=False, help_text="Only after a success.")
    error = serializers.CharField(required=False, help_text="Only after a failure.")


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error of this API."""

    detail = serializers.CharField(help_text="What is wrong, in a sentence.")
    errors = serializers.DictField(  # type: ignore[assignment]  # DRF takes fields off the class, so nothing is hidden
        child=serializers.ListField(child=serializers.CharField()), help_text="Field → what is wrong with it."
    )


class ArgumentSerializer(serializers.Serializer[Any]):
    """One argument of a callable task."""

    name = serializers.CharField()
    type = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # DRF takes fields off the class
    help = serializers.CharField()
    bounds = serializers.DictField(help_text="Limits of its value or length.")


class TaskSerializer(serializers.Serializer[Any]):
    """A task that may be called."""

    name = serializers.CharField()
    queue = serializers.CharField()
    description = serializers.CharField()
    arguments = ArgumentSerializer(many=True)

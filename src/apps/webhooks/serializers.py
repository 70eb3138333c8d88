"""How a job's deliveries went, for the API and the job's page."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.webhooks.history import STATUSES
from apps.webhooks.models import Redelivery


class AttemptSerializer(serializers.Serializer[Any]):
    """One call."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="The receiver's answer, if there was one.")
    reason = serializers.CharField(help_text="Why the call was not taken.")
    duration_ms = serializers.IntegerField(allow_null=True, help_text="null: under way, or its worker was lost.")


class RedeliverySerializer(serializers.Serializer[Any]):
    """Somebody asked for the call once more."""

    at = serializers.DateTimeField()
    by = serializers.SerializerMethodField()

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_by(self, redelivery: Redelivery) -> str | None:
        """Addresses of the staff are not for everybody."""
        by, reader = redelivery.by, self.context["request"].user
        if by is None:
            return None
        return str(by.get_username()) if by.pk == reader.pk or reader.is_staff else "staff"


class DeliverySerializer(serializers.Serializer[Any]):
    """One end of the job, told to its receiver."""

    id = serializers.CharField(help_text="As in the header Warren-Delivery.")
    event = serializers.CharField()
    url = serializers.CharField(help_text="Without its query.")
    status = serializers.ChoiceField(choices=STATUSES)
    created_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    task_id = serializers.CharField(help_text="The job that delivers.")
    attempts = AttemptSerializer(many=True)
    redeliveries = RedeliverySerializer(many=True)


class WebhooksSerializer(serializers.Serializer[Any]):
    """What a job's receiver has been told."""

    callback_url = serializers.CharField(allow_null=True, help_text="Without its query; null: nobody is called.")
    deliveries = DeliverySerializer(many=True)


class SecretsSerializer(serializers.Serializer[Any]):
    """What to verify calls with."""

    current = serializers.CharField()
    previous = serializers.CharField(allow_null=True, help_text="Still signs, too, while the secret is being changed.")

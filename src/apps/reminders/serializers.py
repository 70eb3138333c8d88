"""What the API says and hears about reminders."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.reminders.models import Occurrence, Reminder, Repeat
from warren.jobs.fields import MomentField, TextField

FURTHEST_DAYS = 3660


class WallClockField(MomentField):
    """A date and time without an offset: what the clock on the wall will show."""

    default_error_messages = {  # noqa: RUF012  DRF's own way to declare them
        "offset": "{value} has a UTC offset; leave it out and say the time_zone.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        """The date and time, to the minute's seconds. Raises `ValidationError` (400)."""
        found: datetime = super().to_internal_value(value)
        if timezone.is_aware(found):
            self.fail("offset", value=value)
        return found.replace(microsecond=0)

    def to_representation(self, value: Any) -> str:
        """As it was given."""
        return str(value.isoformat())


class OccurrenceSerializer(serializers.ModelSerializer[Occurrence]):
    """One time that it was due."""

    class Meta:
        model = Occurrence
        fields = ("due_at", "state", "why", "sent_at")
        read_only_fields = fields


class ReminderSerializer(serializers.ModelSerializer[Reminder]):
    """A reminder. It is sent to your own address, and to no other."""

    text = TextField(max_length=500)
    at = WallClockField(help_text="The first time, on the clock where you are, as in 2026-05-04T08:00.")
    time_zone = TextField(
        max_length=64, default=settings.TIME_ZONE, help_text="Where that clock hangs, as in Europe/Berlin."
    )
    repeat = serializers.ChoiceField(choices=Repeat.choices, default=Repeat.ONCE)
    last = serializers.SerializerMethodField(help_text="The last time that it was due; null before the first.")

    class Meta:
        model = Reminder
        fields = ("id", "text", "at", "time_zone", "repeat", "next_at", "cancelled_at", "created_at", "last")
        read_only_fields = ("next_at", "cancelled_at", "created_at")

    @extend_schema_field(OccurrenceSerializer(allow_null=True))
    def get_last(self, reminder: Reminder) -> Any:
        found = max(reminder.occurrences.all(), key=lambda each: each.due_at, default=None)
        return OccurrenceSerializer(found).data if found else None

    def validate_time_zone(self, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise serializers.ValidationError(f"{value!r} is no time zone; one is Europe/Berlin.") from exc
        return value

    def validate_at(self, value: datetime) -> datetime:
        if not abs((value - timezone.now().replace(tzinfo=None)).days) <= FURTHEST_DAYS:
            raise serializers.ValidationError(f"{value.isoformat()} is more than {FURTHEST_DAYS} days from now.")
        return value

"""What the API says and hears about reports."""

from typing import Any

from django.core.files.storage import default_storage
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from apps.reports.limits import LONGEST_RANGE
from apps.reports.models import Kind, Report


class ReportArguments(serializers.Serializer[Any]):
    """A range of time, and what to write."""

    kind = serializers.ChoiceField(choices=Kind.choices, help_text="PDF has a chart.")
    start = serializers.DateTimeField(help_text="Jobs that were accepted at this moment or later.")
    end = serializers.DateTimeField(help_text=f"And before this one, at most {LONGEST_RANGE.days} days later.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"end": [f"It must be after start, {attrs['start'].isoformat()}."]})
        if attrs["end"] - attrs["start"] > LONGEST_RANGE:
            days = (attrs["end"] - attrs["start"]).days
            raise serializers.ValidationError(
                {"end": [f"The range is {days} days; at most {LONGEST_RANGE.days} are taken."]}
            )
        return attrs


class ReportSerializer(serializers.ModelSerializer[Report]):
    """A report that is made."""

    url = serializers.SerializerMethodField(help_text="Where to download it; null if its file has been lost.")

    class Meta:
        model = Report
        fields = ("id", "kind", "start", "end", "rows", "bytes", "created_at", "url")
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_url(self, report: Report) -> str | None:
        if not default_storage.exists(report.file.name or ""):
            return None
        return reverse("reports-file", args=[report.pk], request=self.context["request"])


DOWNLOADS = {(200, "text/csv"): OpenApiTypes.BINARY, (200, "application/pdf"): OpenApiTypes.BINARY}

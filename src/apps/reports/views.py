"""Takes orders for reports and gives them out, each to its owner alone: staff see the jobs, and order their own."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.reports import making
from apps.reports.downloads import Download
from apps.reports.limits import LONGEST_RANGE, MOST_KEPT, MOST_ROWS, TooMuchError
from apps.reports.models import Kind, Report
from apps.reports.scope import Scope
from apps.reports.serializers import DOWNLOADS, ReportArguments, ReportSerializer
from apps.reports.tasks import make_report
from warren.delivery.ownership import owned_by
from warren.jobs.accepted import AcceptedSerializer, accepted
from warren.jobs.errors import UnacceptableError
from warren.jobs.idempotent import key_of
from warren.jobs.schema import IDEMPOTENT, errors

CONTENT_TYPES = {Kind.CSV: "text/csv; charset=utf-8", Kind.PDF: "application/pdf"}


class ReportsView(GenericAPIView[Report]):
    """One's own reports."""

    serializer_class = ReportSerializer

    @extend_schema(
        summary="Order a report of your jobs",
        description=(
            f"At most {LONGEST_RANGE.days} days and {MOST_ROWS} jobs in one; {MOST_KEPT} are kept for each person, "
            "each for as long as its job. The report's id is the task's."
        ),
        parameters=[IDEMPOTENT],
        request=ReportArguments,
        responses={202: AcceptedSerializer, **errors(400, 401, 409, 413, 422)},
    )
    def post(self, request: Request) -> Response:
        form = ReportArguments(data=request.data)
        form.is_valid(raise_exception=True)
        key = key_of(request)
        start, end = form.validated_data["start"], form.validated_data["end"]
        user: Any = request.user  # whom the view has let in
        _refuse_too_much(Scope(owner_id=user.pk, start=start, end=end))
        with owned_by(user.pk):
            result = make_report.apply_async(kwargs=form.validated_data, idempotency_key=key)
        return accepted(result, request=request)

    @extend_schema(
        summary="List your reports, newest first",
        responses={200: ReportSerializer(many=True), **errors(401, 404)},
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(reports_of(request))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class ReportView(APIView):
    """One report."""

    @extend_schema(summary="Look at a report", responses={200: ReportSerializer, **errors(401, 404)})
    def get(self, request: Request, report_id: str) -> Response:
        return Response(ReportSerializer(find(report_id, request=request), context={"request": request}).data)

    @extend_schema(summary="Delete a report", responses={204: None, **errors(401, 404)})
    def delete(self, request: Request, report_id: str) -> Response:
        report = find(report_id, request=request)
        report.delete()  # the row first: a file without a row is tidied away, a row without a file is a broken promise
        report.file.delete(save=False)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReportFileView(APIView):
    """One report's file."""

    @extend_schema(summary="Download a report", responses={**DOWNLOADS, **errors(401, 404)})
    def get(self, request: Request, report_id: str) -> HttpResponseBase:
        report = find(report_id, request=request)
        try:
            file = report.file.open()
        except FileNotFoundError as exc:
            raise NotFound(f"The file of report {report_id!r} has been lost; order it again.") from exc
        return Download(
            file,
            as_attachment=True,
            filename=_filename(report),
            content_type=CONTENT_TYPES[Kind(report.kind)],
            headers={"Cache-Control": "private, no-store"},
        )


def find(report_id: str, *, request: Request) -> Report:
    """The report. Raises `NotFound` (404) for unknown ids, other people's reports, and those that are not made yet."""
    # Postgres takes no NUL in a text, so no id holds one
    report = None if "\x00" in report_id else reports_of(request).filter(pk=report_id).first()
    if report is None:
        raise NotFound(f"There is no report {report_id!r} of yours, or not yet.")
    return report


def reports_of(request: Request) -> QuerySet[Report]:
    """The reports of the request's user, be they staff or not."""
    return Report.objects.filter(owner_id=request.user.pk)


def _refuse_too_much(scope: Scope) -> None:
    try:
        scope.count()
    except TooMuchError as exc:
        raise ValidationError({"end": [str(exc)]}) from exc
    try:
        making.refuse_too_many(scope.owner_id)
    except TooMuchError as exc:
        raise UnacceptableError({"non_field_errors": [str(exc)]}) from exc


def _filename(report: Report) -> str:
    first, last = (timezone.localtime(each).date() for each in (report.start, report.end))
    return f"jobs-{first}-{last}.{report.kind}"

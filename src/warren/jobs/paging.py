"""Pages of jobs: newest first, by cursor, so that page 1 000 costs what page 1 costs."""

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class JobPagination(CursorPagination):
    """`?page_size=` up to 200; `next` and `previous` are whole addresses."""

    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Where the page starts. Raises `NotFound` (404) also for a cursor whose position is not a time."""
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and _moment(str(cursor.position)) is None:
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _moment(position: str) -> object:
    try:
        return parse_datetime(position)
    except ValueError:
        return None

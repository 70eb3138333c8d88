"""Pages of jobs: newest first, by cursor, so that page 1 000 costs what page 1 costs."""

from rest_framework.pagination import CursorPagination


class JobPagination(CursorPagination):
    """`?page_size=` up to 200; `next` and `previous` are whole addresses."""

    ordering = ("-created_at", "-id")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

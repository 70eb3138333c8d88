"""How much one report, and one person's reports, may be."""

from datetime import timedelta

LONGEST_RANGE = timedelta(days=366)
MOST_ROWS = 100_000  # a spreadsheet still opens it, and a PDF of it has 1 300 pages
MOST_KEPT = 100  # files of one person; some 2 GB, if all are of the largest kind


class TooMuchError(Exception):
    """More than a report, or a person's reports, may be; the message says how much, and what to do."""

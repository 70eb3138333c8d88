"""How fetching is tried in the browser."""

from apps.fetching.tasks import fetch_urls
from warren.try_it.trials import Trial, register

register(
    Trial(
        task=fetch_urls.name,
        title="Fetch web addresses",
        summary="The queue io: all of them at once, in one worker process.",
        button="Fetch them",
        initial=lambda _now: {"urls": "https://example.com/\nhttps://www.iana.org/"},
        result_template="fetching/tried.html",
        order=30,
    )
)

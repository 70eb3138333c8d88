"""All that is no ordinary request: open streams and WebSockets. Imported when Django has its models."""

from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from warren.jobs.live.consumer import TaskConsumer
from warren.jobs.live.hub import Hub, hub
from warren.jobs.live.origins import SameOrigin
from warren.jobs.live.streams import EventStreams


def around(django: Any, *, hub: Hub = hub) -> ProtocolTypeRouter:
    """The whole application: Django for requests, and what is kept open beside it."""
    sockets = URLRouter(
        [
            path("ws/tasks/<job:task_id>/", TaskConsumer.as_asgi(hub=hub)),
            re_path("", WebsocketDenier.as_asgi()),
        ]
    )
    return ProtocolTypeRouter(
        {
            "http": EventStreams(django, hub=hub),
            "websocket": SameOrigin(sockets),
        }
    )

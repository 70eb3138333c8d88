"""Counting the results that Celery stores in Redis or Valkey."""

import json

import redis

READ_AT_ONCE = 1000
KEYS = "celery-task-meta-*"


class ValkeyResults:
    """`url` is the result backend's."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)

    def stored(self) -> int:
        return sum(1 for _ in self._client.scan_iter(KEYS, count=READ_AT_ONCE))

    def total(self) -> int:
        keys = list(self._client.scan_iter(KEYS, count=READ_AT_ONCE))
        documents = [json.loads(text) for text in self._client.mget(keys)]
        return sum(document["result"] for document in documents if document["status"] == "SUCCESS")

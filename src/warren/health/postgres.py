"""Is Postgres fit for use?

The question goes over a connection of its own, not the pool's: a pool that is busy is no reason to take web out of
service, and a pool that waits would keep the answer waiting too.
"""

import asyncio

import psycopg
from asgiref.sync import sync_to_async
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from warren.delivery import direct

TIMEOUT_S = 2.0

_migrated = False


async def missing() -> list[str]:
    """What Postgres lacks, in words; empty when nothing. Answers within about twice two seconds."""
    if not await _answers():
        return ["postgres does not answer"]
    if not await _is_migrated():
        return ["migrations are not applied"]
    return []


async def _answers() -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            async with await psycopg.AsyncConnection.connect(**direct.address("readyz")) as fresh:
                await fresh.execute("SELECT 1")
    except (psycopg.Error, OSError):  # TimeoutError is an OSError
        return False
    return True


async def _is_migrated() -> bool:
    """Asked until it is so; a database is not unmigrated under a running process."""
    global _migrated  # noqa: PLW0603  a cache of one bit for the process
    if not _migrated:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                _migrated = await sync_to_async(_nothing_to_migrate)()
        except (Error, OSError):
            return False
    return _migrated


def _nothing_to_migrate() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())

"""This container: its versions, and the disks that it sees."""

import shutil
from pathlib import Path

from django.conf import settings

from warren.doctor.finding import Check, Finding, fail, ok, warn
from warren.health import versions

MIB = 1_048_576
FULL, NEARLY_FULL = 0.98, 0.90
# RabbitMQ takes no message below 512 MB (services/rabbitmq/rabbitmq.conf), and on one machine it has the same disk
LEAST_FREE_MIB = 600
MAKE_ROOM = "docker system df; JOB_RETENTION_DAYS in .env says how long finished jobs stay"


def this_one() -> Finding:
    """What this container runs."""
    return ok(", ".join(f"{name} {version}" for name, version in versions.here().items()))


def disks() -> Finding:
    """Where uploads lie, and where temporary files go. Postgres' own disk cannot be seen from here."""
    told = []
    for path in dict.fromkeys((Path(settings.MEDIA_ROOT), Path("/tmp"))):  # noqa: S108  looked at, not used
        if not path.is_dir():
            continue
        usage = shutil.disk_usage(path)
        share, free_mib = 1 - usage.free / usage.total, usage.free / MIB
        said = f"{path} is {share:.0%} full, {free_mib:,.0f} MiB free"
        if share >= FULL:
            return fail(said, do=MAKE_ROOM)
        if share >= NEARLY_FULL or (usage.total > 10 * LEAST_FREE_MIB * MIB and free_mib < LEAST_FREE_MIB):
            return warn(said, do=MAKE_ROOM)
        told.append(said)
    return ok("; ".join(told))


CHECKS = (
    Check(name="container.versions", examine=this_one),
    Check(name="container.disk", examine=disks),
)

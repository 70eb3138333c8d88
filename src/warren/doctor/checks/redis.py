"""Redis or Valkey, where it is the broker: does it answer, does it keep what it is given?"""

from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from warren.config.queues import QUEUES
from warren.delivery import broker_addresses, broker_depths
from warren.doctor import broker, commands
from warren.doctor.finding import Check, Finding, fail, ok, warn

REACHABLE = "redis.reachable"
NEARLY_FULL = 0.8
LOOK = commands.start("redis")
AS_MEANT = "docker compose up --detach --force-recreate redis  # with services/redis/valkey.conf"


def reachable() -> Finding:
    """It lets us in, and takes writes."""
    address = urlsplit(_url())
    at = f"{address.hostname}:{address.port or 6379}"
    try:
        server, replication = _info("server"), _info("replication")
    except AuthenticationError as exc:
        return fail(f"{at}: {exc}", do="docker compose up --detach --force-recreate secrets redis && make up")
    except ResponseError as exc:
        return fail(f"{at}: {exc}", do=LOOK)
    except (RedisError, OSError) as exc:
        return fail(f"{at}: {exc}", do=LOOK)
    name = "Valkey" if "valkey_version" in server else "Redis"
    version = server.get("valkey_version") or server["redis_version"]
    if replication["role"] != "master":
        return fail(f"{name} {version} on {at} is a replica: it takes no writes", do="Point BROKER_URL at the primary.")
    return ok(f"{name} {version} on {at}")


def memory() -> Finding:
    """It refuses what it has no room for, and drops nothing that it has."""
    told = _info("memory")
    policy, used, most = told["maxmemory_policy"], told["used_memory"], told["maxmemory"]
    if policy != "noeviction":
        return fail(f"maxmemory-policy is {policy}: it drops messages when it is full", do=AS_MEANT)
    if most and used > NEARLY_FULL * most:
        return warn(f"{used / most:.0%} of its memory is used; when it is full, jobs wait in Postgres", do=LOOK)
    return ok(f"noeviction; {used / 1e6:.0f} MB used of {f'{most / 1e6:.0f} MB' if most else 'any'}")


def persistence() -> Finding:
    """What it has survives its end; else every waiting job is found and sent again, which takes a while."""
    told = _info("persistence")
    if not told["aof_enabled"]:
        return warn("no append-only file: a restart loses what waits, which is then sent again", do=AS_MEANT)
    if told.get("aof_last_write_status", "ok") != "ok" or told.get("aof_last_bgrewrite_status", "ok") != "ok":
        return fail("its append-only file cannot be written: is its disk full?", do=LOOK)
    return ok("append-only file, last write ok")


def queues() -> Finding:
    """How much waits; who consumes, Redis does not know (`workers.alive` does)."""
    depths = broker_depths.ask(current_app, [spec.name for spec in QUEUES], url=_url())
    return ok(", ".join(f"{name} has {depth.messages} messages" for name, depth in depths.items() if depth))


def _url() -> str:
    return broker_addresses.split(broker.url())[0]


def _info(section: str) -> dict[str, Any]:
    client: Any = Redis.from_url(
        _url(), socket_timeout=broker.TIMEOUT_S, socket_connect_timeout=broker.TIMEOUT_S, retry=None
    )
    with client:
        told: dict[str, Any] = client.info(section)
        return told


CHECKS = (
    Check(name=REACHABLE, examine=reachable, if_late=LOOK),
    Check(name="redis.memory", examine=memory, needs=(REACHABLE,)),
    Check(name="redis.persistence", examine=persistence, needs=(REACHABLE,)),
    Check(name="redis.queues", examine=queues, needs=(REACHABLE,)),
)

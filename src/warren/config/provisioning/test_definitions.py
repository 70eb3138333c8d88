"""What RabbitMQ makes by itself, against what `manage.py provision` makes."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from kombu import Connection

from warren.config.provisioning import broker, definitions, management

SERVICE = Path(__file__).parents[4] / "services/rabbitmq"
VHOST = "by-itself"
PASSWORD = "a 'quoted' & odd pässword"  # noqa: S105  of a broker that lives in memory
ROLES = [user.name for user in broker.users()]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The management API; the declared virtual host is one for this test."""
    host = urlsplit(settings.CELERY_BROKER_URL).hostname
    monkeypatch.setattr(definitions, "VHOST", VHOST)
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", f"pyamqp://{host}:5672/{VHOST}")
    monkeypatch.setenv("RABBITMQ_ADMIN_PASSWORD", settings.BROKER_PASSWORD)
    for user in broker.users():
        monkeypatch.setenv(user.password_variable, PASSWORD)
    login = (broker.ADMIN, settings.BROKER_PASSWORD)
    with httpx.Client(base_url=f"http://{host}:{management.PORT}/api/", auth=login) as client:
        yield client
        _forget(client)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The folder that the start script would hand to RabbitMQ."""
    (tmp_path / "from").mkdir()
    (tmp_path / "secrets").mkdir()
    call_command("topology", tmp_path / "from")
    for role in ROLES:
        (tmp_path / f"secrets/{role}_password").write_text(PASSWORD)
    (tmp_path / "secrets/admin_password").write_text(settings.BROKER_PASSWORD)
    _write(tmp_path)
    return tmp_path / "to"


def _write(folder: Path) -> None:
    subprocess.run([SERVICE / "write-definitions", *(folder / name for name in ("from", "secrets", "to"))], check=True)  # noqa: S603  our own script


def _import(api: httpx.Client, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        api.post("definitions", json=json.loads(path.read_text())).raise_for_status()


def _forget(api: httpx.Client) -> None:
    api.delete(f"vhosts/{VHOST}")
    for role in ROLES:
        api.delete(f"users/{role}")


def _seen(api: httpx.Client) -> dict[str, Any]:
    """Everything that the broker knows of the virtual host and the users, but hashes, which are salted."""
    known = api.get("definitions").json()
    own = {kind: [each for each in known[kind] if each["vhost"] == VHOST] for kind in known if _has_vhost(known[kind])}
    users = [{**user, "password_hash": ""} for user in known["users"]]
    vhosts = [host for host in known["vhosts"] if host["name"] == VHOST]
    everything = {**own, "users": users, "vhosts": vhosts}
    return {kind: sorted(found, key=json.dumps) for kind, found in everything.items()}


def _has_vhost(things: Any) -> bool:
    return isinstance(things, list) and bool(things) and "vhost" in things[0]


def test_it_is_what_the_image_is_built_with() -> None:
    call_command("topology", SERVICE / "definitions", "--check")


def test_it_asks_for_make_topology_when_a_file_says_something_else(tmp_path: Path) -> None:
    call_command("topology", tmp_path)
    (tmp_path / "user-old.json").write_text("{}")

    with pytest.raises(CommandError, match="make topology"):
        call_command("topology", tmp_path, "--check")

    call_command("topology", tmp_path)
    call_command("topology", tmp_path, "--check")


def test_it_makes_the_same_broker_as_provision_does(api: httpx.Client, written: Path) -> None:
    _import(api, written)
    by_itself = _seen(api)
    _forget(api)

    list(broker.provision())

    # the administrator has rights where he made the virtual host, which the definitions must name
    assert by_itself == _seen(api)
    assert {right["user"] for right in by_itself["permissions"]} == {"admin", *ROLES}
    assert {queue["name"] for queue in by_itself["queues"]} == {"cpu", "io", "dead"}
    assert {(each["source"], each["destination"]) for each in by_itself["bindings"]} == {
        ("losable", "cpu"),
        ("losable", "io"),
    }


def test_it_lets_each_role_log_in_with_its_password(api: httpx.Client, written: Path) -> None:
    _import(api, written)

    for role in ROLES:
        with Connection(hostname=api.base_url.host, userid=role, password=PASSWORD, virtual_host=VHOST) as connection:
            connection.connect()


def test_it_keeps_passwords_out_and_salts_each_start_anew(written: Path) -> None:
    first = {path.name: path.read_text() for path in written.iterdir()}

    _write(written.parent)

    second = {path.name: path.read_text() for path in written.iterdir()}
    assert first.keys() == second.keys() == definitions.files().keys()
    assert not any(PASSWORD in text or definitions.HASH in text for text in first.values())
    assert first["user-web.json"] != second["user-web.json"]


def test_it_leaves_out_a_user_when_there_is_no_password(written: Path) -> None:
    (written.parent / "secrets/flower_password").unlink()

    _write(written.parent)

    assert definitions.files().keys() - {path.name for path in written.iterdir()} == {"user-flower.json"}

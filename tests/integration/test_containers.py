"""What each container may do, what is in its image, and what the idle stack costs."""

import os
import re
import subprocess

import pytest

from tests.stack import waiting
from tests.stack.stack import ONE_SHOTS, Stack

PYTHON_SERVICES = ("web", "worker-cpu", "worker-io", "beat", "relay", "flower")
SERVICES = (*PYTHON_SERVICES, "postgres", "rabbitmq")
LOOPBACK = "127.0.0.1"
MB = 1_000_000
GIB = 1024**3
UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": GIB}

# the package → the only services whose image may hold it
OWN_PACKAGES = {
    "gunicorn": {"web"},
    "whitenoise": {"web"},
    "drf-spectacular-sidecar": {"web"},
    "gevent": {"worker-io"},
    "eventlet": {"worker-io"},
    "librabbitmq-fork": {"worker-cpu"},
    "flower": {"flower"},
    "django": {"web", "worker-cpu", "worker-io", "beat", "relay"},
    "psycopg-pool": {"web", "worker-cpu", "worker-io"},
    "aiosmtpd": set(),
    "pip": set(),
    "uv": set(),
    "setuptools": set(),
    "pytest": set(),
}
BUILD_TOOLS = ("gcc", "cc", "make", "uv", "/opt/venv/bin/pip", "/opt/venv/bin/uv")


@pytest.mark.parametrize("service", SERVICES)
def test_it_has_no_rights_that_it_does_not_need(stack: Stack, service: str) -> None:
    seen = stack.inspect(stack.container(service))
    process = stack.execute(service, "cat", "/proc/1/status")

    host = seen["HostConfig"]
    uids = _field(process, "Uid").split()
    assert "0" not in uids, "it runs as root"
    assert int(_field(process, "CapEff"), 16) == 0, "it has capabilities"
    assert _field(process, "NoNewPrivs") == "1"
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Memory"] > 0, "it has no memory limit"


@pytest.mark.parametrize("service", SERVICES)
def test_its_root_file_system_cannot_be_written(stack: Stack, service: str) -> None:
    attempt = "for place in / /srv /opt /etc /usr; do ! touch $place/x 2>/dev/null || exit 1; done"

    stack.execute(service, "bash", "-c", attempt)


@pytest.mark.parametrize("service", ONE_SHOTS)
def test_a_one_shot_has_no_rights_either(stack: Stack, service: str) -> None:
    host = stack.inspect(stack.container(service))["HostConfig"]

    assert (host["ReadonlyRootfs"], host["CapDrop"], host["CapAdd"]) == (True, ["ALL"], None)


def test_only_web_and_flower_are_published_and_on_loopback_only(stack: Stack) -> None:
    bound = {
        str(each.Service): binding["HostIp"]
        for each in stack.containers()
        for bindings in stack.inspect(each)["HostConfig"]["PortBindings"].values()
        for binding in bindings
    }

    assert bound == {"web": LOOPBACK, "flower": LOOPBACK}


def test_each_image_holds_only_its_own_packages(stack: Stack) -> None:
    held = {service: _packages(stack, service) for service in PYTHON_SERVICES}

    holders = {package: {service for service in held if package in held[service]} for package in OWN_PACKAGES}

    assert holders == OWN_PACKAGES


@pytest.mark.parametrize("service", PYTHON_SERVICES)
def test_no_build_tools_are_left_inside(stack: Stack, service: str) -> None:
    found = stack.execute(service, "bash", "-c", f"command -v {' '.join(BUILD_TOOLS)} || true")

    assert not found


def test_each_python_image_is_at_most_150_mb_above_its_base(stack: Stack) -> None:
    base = _image_bytes(os.environ["PYTHON_IMAGE"])
    images = {service: str(stack.inspect(stack.container(service))["Image"]) for service in PYTHON_SERVICES}

    above = {service: (_image_bytes(image) - base) / MB for service, image in images.items()}

    assert all(0 < size <= 150 for size in above.values()), above


def test_the_idle_stack_takes_at_most_a_gibibyte_of_memory(stack: Stack) -> None:
    ids = {str(each.ID): str(each.Service) for each in stack.containers() if each.Service not in ("mail", "receiver")}

    waiting.until(lambda: sum(_memory(ids).values()) <= GIB, within_s=60, what=f"at most 1 GiB: {_memory(ids)}")


def _field(status: str, name: str) -> str:
    found = re.search(rf"^{name}:\s+(.*)$", status, re.MULTILINE)
    assert found, f"/proc/1/status has no {name}"
    return found.group(1)


def _packages(stack: Stack, service: str) -> set[str]:
    listing = "import importlib.metadata as m; print(*(d.name.lower().replace('_', '-') for d in m.distributions()))"
    return set(stack.execute(service, "/opt/venv/bin/python", "-c", listing).split())


def _image_bytes(name: str) -> int:
    return int(_docker("image", "inspect", "--format", "{{.Size}}", name))


def _memory(services_by_id: dict[str, str]) -> dict[str, int]:
    """Bytes by service, as `docker stats` shows them: without what the kernel can drop at once."""
    said = _docker("stats", "--no-stream", "--format", "{{.ID}} {{.MemUsage}}", *services_by_id)
    used = {}
    for line in said.splitlines():
        container, amount, *_ = line.split()
        number, unit = re.fullmatch(r"([\d.]+)(\w+)", amount).groups()  # type: ignore[union-attr]  # docker's format
        used[services_by_id[container]] = int(float(number) * UNITS[unit])
    return used


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout

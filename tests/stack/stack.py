"""The full stack, started from the built images as a project of its own with its own ports and secrets.

The projects' names begin with `TEST_PROJECTS`, by which compose/host/in-runner takes away what a killed runner leaves.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from testcontainers.compose import ComposeContainer, DockerCompose

from tests.stack import environment

ROOT = Path(__file__).parents[2]
FILES = ["compose/stack.yaml", "compose/mail.yaml", "tests/integration/compose.yaml"]
ONE_SHOTS = ("secrets", "migrate")
WORKERS = ("worker-cpu", "worker-io")

START_TIMEOUT_S = 240  # a first start makes the database, migrates and declares the queues
COMMAND_TIMEOUT_S = 300
RECOVERS_WITHIN_S = 40  # a worker that takes from its queue again is shown ready within seconds
LOG_LINES = "40"
ERASE_LINE = "\x1b[2K"  # compose writes it before each line of a log, also where there is no terminal


class CommandFailedError(Exception):
    """A command did not end with 0; the message has what it said."""


class Stack:
    """One project. `values` is its environment file, as it was at the start."""

    def __init__(self, folder: Path, *, values: Mapping[str, str], files: Sequence[str] = FILES) -> None:
        """`folder` keeps the environment file, in which `values` stand over those that every test has."""
        project = f"{os.environ['TEST_PROJECTS']}{uuid4().hex[:8]}"
        self.values = environment.new(project=project) | dict(values)
        self._env_file = folder / f"{project}.env"
        self._changes: dict[str, str] = {}
        self._files = tuple(files)
        self._driver = DockerCompose(ROOT, list(files), env_file=str(self._env_file))
        environment.write(self.values, to=self._env_file)

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.values['WEB_PORT']}"

    @property
    def flower_url(self) -> str:
        return f"http://127.0.0.1:{self.values['FLOWER_PORT']}"

    def start(self) -> None:
        """Start what is not running and wait until all is healthy."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", str(START_TIMEOUT_S))

    def remove(self) -> None:
        """Take away containers, networks and volumes. Nobody minds how they end, so it is quick."""
        subprocess.run([*self._driver.docker_compose_command(), "kill"], cwd=ROOT, check=False, capture_output=True)
        self._driver.stop(down=True)

    def change(self, changes: Mapping[str, str]) -> None:
        """Make the workers run with exactly these changes to `values`; those that already do are left alone."""
        if changes == self._changes:
            return
        environment.write({**self.values, **changes}, to=self._env_file)
        self._changes = dict(changes)
        self._let_recover()
        self.up(*WORKERS)

    def _let_recover(self) -> None:
        """Give unhealthy containers a while: compose gives up at once on one that it would leave as it is."""
        deadline = time.monotonic() + RECOVERS_WITHIN_S
        while time.monotonic() < deadline and any(each.Health == "unhealthy" for each in self.containers()):
            time.sleep(1)

    def up(self, *services: str, options: tuple[str, ...] = ()) -> None:
        """Start or recreate these services alone, and wait until they are healthy."""
        self.compose(
            "up", "--detach", "--wait", "--wait-timeout", str(START_TIMEOUT_S), "--no-deps", *options, *services
        )

    def compose(self, *arguments: str, stdin: str = "") -> str:
        """Run `docker compose`; returns its output. Raises `CommandFailedError`."""
        return _run(self.command(*arguments), stdin=stdin)

    def command(self, *arguments: str) -> list[str]:
        """The command line that `compose` runs in `ROOT`; for what goes on beside a test."""
        return [*self._driver.docker_compose_command(), "--ansi", "never", "--progress", "quiet", *arguments]

    def host(self, script: str, *arguments: str, **values: str) -> str:
        """Run a script of compose/host on this stack, as make does; returns its output. Raises `CommandFailedError`.

        `values` are variables that only the script sees.
        """
        return _run([f"compose/host/{script}", *arguments], env=self._for_scripts() | values)

    def begin(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """As `host`, without waiting: a process group of its own, and what it says by its stderr."""
        command = [f"compose/host/{script}", *arguments]
        pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=ROOT, env=self._for_scripts(), start_new_session=True, **pipes)

    def _for_scripts(self) -> dict[str, str]:
        return {**os.environ, **self.values, **self._changes, "COMPOSE_FILE": ":".join(self._files)}

    def execute(self, service: str, *command: str, env: Mapping[str, str] | None = None, stdin: str = "") -> str:
        """Run a command in a service's container; returns its output. Raises `CommandFailedError`."""
        variables = [option for name, value in (env or {}).items() for option in ("--env", f"{name}={value}")]
        return self.compose("exec", "--no-TTY", *variables, service, *command, stdin=stdin)

    def logs(self, service: str, *, tail: str = "all") -> str:
        """What a service has printed since its containers were made, or the last lines of it."""
        said = self.compose("logs", "--no-log-prefix", "--tail", tail, service)
        return said.replace(ERASE_LINE, "")

    def containers(self, *, of: str | None = None) -> list[ComposeContainer]:
        """All containers of the project, or of one service, whatever their state."""
        return [each for each in self._driver.get_containers(include_all=True) if of in (None, each.Service)]

    def container(self, service: str) -> ComposeContainer:
        """The one container of a service."""
        (only,) = self.containers(of=service)
        return only

    def health(self, service: str) -> str:
        """`healthy`, `unhealthy` or `starting`; empty when it does not run."""
        return self.container(service).Health or ""

    def is_healthy(self, service: str) -> bool:
        return self.health(service) == "healthy"

    def inspect(self, container: ComposeContainer) -> dict[str, Any]:
        """What the engine knows of a container."""
        (found,) = json.loads(_run(["docker", "inspect", str(container.ID)]))
        return dict(found)

    def scale(self, service: str, *, to: int) -> None:
        """Start or stop containers of a service until so many run; wait until they are healthy."""
        self.up(service, options=("--scale", f"{service}={to}"))

    @contextmanager
    def scaled(self, service: str, *, to: int) -> Iterator[None]:
        """So many containers of a service inside the block; one again after it, as every other test expects."""
        self.scale(service, to=to)
        try:
            yield
        finally:
            self.scale(service, to=1)

    @contextmanager
    def stopped(self, *services: str) -> Iterator[None]:
        """These services stopped inside the block; started, and waited for, after it."""
        self.compose("stop", *services)
        try:
            yield
        finally:
            self.up(*services)

    @contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """One service's processes standing still inside the block, as on a starved machine."""
        container = str(self.container(service).ID)
        self.pause(container)
        try:
            yield
        finally:
            self.engine("unpause", container)

    def pause(self, container: str) -> None:
        """Let a container's processes stand still until `engine("unpause", …)`."""
        try:
            self.engine("pause", container)
        except CommandFailedError:  # the kernel gives up on a process that is just in a system call
            self.engine("pause", container)

    def remove_volume(self, name: str) -> None:
        """Delete a volume that no container uses any more, with all its data."""
        _run(["docker", "volume", "rm", f"{self.values['COMPOSE_PROJECT_NAME']}_{name}"])

    def engine(self, *arguments: str) -> None:
        """Run a command of the engine, such as `unpause`, on what the last argument names."""
        _run(["docker", *arguments])

    def signal(self, service: str, *, name: str) -> None:
        """Send a signal to a service's process from outside."""
        _run(["docker", "kill", "--signal", name, str(self.container(service).ID)])

    def describe_unwell(self) -> str:
        """The state of every service, and the end of the logs of those that are not as they should be."""
        containers = self.containers()
        unwell = sorted({str(each.Service) for each in containers if not _is_well(each)})
        told = [f"{each.Name}: {each.State} {each.Health} exit code {each.ExitCode}" for each in containers]
        for service in unwell:
            told += ["", f"the end of {service}'s log:", self.logs(service, tail=LOG_LINES)]
        return "\n".join(told)


def _is_well(container: ComposeContainer) -> bool:
    if container.Service in ONE_SHOTS:
        return container.State == "exited" and container.ExitCode == 0
    return container.State == "running" and container.Health == "healthy"


def _run(command: list[str], *, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, input=stdin, env=env
    )
    if done.returncode:
        said = f"{done.stderr}{done.stdout}"
        raise CommandFailedError(f"{' '.join(command)}: exit code {done.returncode}\n{said}")
    return done.stdout

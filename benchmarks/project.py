"""One set-up as a compose project of its own: nothing published, nothing shared with another."""

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

from benchmarks.catalogue import Setup
from tests.stack import environment

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 240  # a first start makes the database, migrates and declares the queues


class CommandFailedError(Exception):
    """A command did not end with 0; the message has what it said."""


class Project:
    """`up()`, then measure, then `halt()`, any number of times; `remove()` at the end."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        """`folder` keeps the environment file."""
        self.setup = setup
        name = f"warren-bench-{setup.name}-{uuid4().hex[:6]}"
        env_file = folder / f"{name}.env"
        environment.write(environment.new(project=name) | dict(setup.values), to=env_file)
        files = [option for file in setup.files for option in ("--file", file)]
        self._command = ["docker", "compose", "--project-name", name, "--env-file", str(env_file), *files]
        self._command += ["--ansi", "never", "--progress", "quiet"]

    def build(self) -> None:
        """Build the images that this set-up alone has."""
        if self.setup.builds:
            self.compose("build", "--quiet")

    def create(self) -> None:
        """Make it ready from nothing: databases, queues and tables; then nothing runs but what always does."""
        wanted = (*self.setup.always, self.setup.submitter)
        self.compose("create", *wanted, *self.setup.workers)
        self.compose("up", "--detach", "--no-recreate", "--wait", "--wait-timeout", str(START_TIMEOUT_S), *wanted)
        if self.setup.load:
            self.start(self.setup.cpu_worker)
            self._each(self.setup.load)

    def up(self) -> None:
        """Start all but the workers, as `create` left them, and wait until they are well."""
        waiting = ("--wait", "--wait-timeout", str(START_TIMEOUT_S))
        wanted = (*self.setup.always, self.setup.submitter)
        self.compose("up", "--detach", "--no-deps", "--no-recreate", *waiting, *wanted)

    def start(self, service: str) -> None:
        """Start one, without waiting: a worker's first jobs tell that it is there."""
        _run(["docker", "start", self.containers()[service]])

    def halt(self, *services: str) -> None:
        """Stop these, or all; what they have stored stays."""
        self.compose("stop", *services)

    def clear(self) -> None:
        """Forget every job, so that each measurement finds an empty store."""
        self._each(self.setup.clear)

    def containers(self) -> dict[str, str]:
        """The ids of the containers by service, whether they run or not."""
        said = self.compose("ps", "--all", "--format", "{{.Service}} {{.ID}}")
        return dict(line.split() for line in said.splitlines())

    def logs(self, *services: str) -> str:
        """The end of what these services have said."""
        return self.compose("logs", "--no-color", "--tail", "30", *services)

    def remove(self) -> None:
        """Take away containers, networks and volumes."""
        subprocess.run([*self._command, "kill"], cwd=ROOT, check=False, capture_output=True)
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")

    def compose(self, *arguments: str) -> str:
        """Run `docker compose`; returns its output. Raises `CommandFailedError`."""
        return _run([*self._command, *arguments])

    def _each(self, commands: Iterable[tuple[str, ...]]) -> None:
        for service, *command in commands:
            self.compose("exec", "--no-TTY", service, *command)

    def harness(self, *arguments: str) -> Iterator[str]:
        """Run the harness in the submitter; yields each line that it says, at once. Raises `CommandFailedError`."""
        container = self.containers()[self.setup.submitter]
        command = ["docker", "exec", "--env", f"PYTHONPATH={self.setup.python_path}", container]
        command += ["python", "-m", "benchmarks.harness", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            assert running.stdout, "it is a pipe"  # noqa: S101  for the type checker
            yield from running.stdout
            said = running.stderr.read() if running.stderr else ""
        if running.returncode:
            raise CommandFailedError(f"{' '.join(command)}: exit code {running.returncode}\n{said}")


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise CommandFailedError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}{done.stdout}")
    return done.stdout

"""Writes or compares what follows from config/queues.py: `manage.py topology FOLDER [--repository ROOT] [--check]`."""

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from warren.config.provisioning import definitions, manifests, monitoring_manifests
from warren.config.queues import QUEUES


class Command(BaseCommand):
    """The folder is services/rabbitmq/definitions, which the image of RabbitMQ is built with."""

    help = "Write what config/queues.py declares for RabbitMQ, and with --repository for Compose, Kubernetes and KEDA."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--repository", type=Path, help="where compose/ and k8s/ are; else left alone")
        parser.add_argument("--check", action="store_true", help="write nothing; fail if the files say something else")

    def handle(self, *_args: Any, folder: Path, repository: Path | None, check: bool, **_options: Any) -> None:
        """Bring the files into agreement, or with `--check` raise `CommandError` if they are not."""
        wrong = {path: text for path, text in _wanted(folder, repository).items() if _found(path) != text}
        if check and wrong:
            raise CommandError(f"{', '.join(map(str, wrong))}: not what is declared; run `make topology`")
        for path, text in wrong.items():
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)


def _wanted(folder: Path, repository: Path | None) -> dict[Path, str | None]:
    wanted: dict[Path, str | None] = dict.fromkeys(folder.glob("*.json"))
    wanted |= {folder / name: text for name, text in definitions.files().items()}
    if repository:
        made = manifests.files(repository, QUEUES) | monitoring_manifests.files(repository)
        wanted |= {repository / path: text for path, text in made.items()}
    return wanted


def _found(path: Path) -> str | None:
    return path.read_text() if path.exists() else None

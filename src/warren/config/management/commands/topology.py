"""Writes or compares RabbitMQ's definitions: `manage.py topology FOLDER [--check]`."""

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from warren.config.provisioning import definitions


class Command(BaseCommand):
    """The folder is services/rabbitmq/definitions, which the image of RabbitMQ is built with."""

    help = "Write what config/queues.py declares as RabbitMQ's definitions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--check", action="store_true", help="write nothing; fail if the files say something else")

    def handle(self, *_args: Any, folder: Path, check: bool, **_options: Any) -> None:
        """Bring the folder into agreement, or with `--check` raise `CommandError` if it is not."""
        declared = definitions.files()
        found = {path.name: path.read_text() for path in folder.glob("*.json")}
        if check:
            if found != declared:
                raise CommandError("services/rabbitmq/definitions does not say what is declared: run `make topology`")
            return
        for name in found.keys() - declared.keys():
            (folder / name).unlink()
        for name, text in declared.items():
            (folder / name).write_text(text)

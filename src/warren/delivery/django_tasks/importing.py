"""A worker that is sent a Django task of a module that it has not imported imports it then.

Celery loads this while it makes the app, before Django has its models: so nothing here may import any.
"""

import logging
from importlib import import_module
from typing import Any, override

from celery.app.registry import TaskRegistry
from celery.exceptions import NotRegistered
from django.apps import apps

log = logging.getLogger(__name__)


class ImportingRegistry(TaskRegistry):
    """Celery's registry of tasks; one that it lacks is looked for where its name says."""

    @override
    def __missing__(self, name: str) -> Any:
        """Import the module of a Django task, if it is within an installed app. Raises `NotRegistered`."""
        if apps.ready and apps.get_containing_app_config(name):
            self._import(name.rpartition(".")[0])
        if name not in self:
            raise NotRegistered(name)
        return self[name]

    def _import(self, module: str) -> None:
        try:
            import_module(module)
        except Exception:  # a broken module must fail its job, not the worker that looks for it
            log.exception("no task can be had from %s", module)

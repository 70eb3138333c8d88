from importlib import import_module

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "apps.ledger"

    def ready(self) -> None:
        """Register the tasks that are in no tasks.py, and set the fault points, now that what they wrap is there."""
        import_module("apps.ledger.poison")
        import_module("apps.ledger.fault_points").set_all()

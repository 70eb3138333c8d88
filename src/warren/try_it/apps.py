from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TryItConfig(AppConfig):
    name = "warren.try_it"
    label = "try_it"

    def ready(self) -> None:
        """Load what apps say of themselves in their `try_it.py`, if they have one."""
        autodiscover_modules("try_it")

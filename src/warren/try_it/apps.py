from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from warren.dashboard import navigation

BESIDE_THE_JOBS = 25


class TryItConfig(AppConfig):
    name = "warren.try_it"
    label = "try_it"

    def ready(self) -> None:
        """Load what apps say of themselves in their `try_it.py`, if they have one."""
        autodiscover_modules("try_it")
        navigation.add("Try it", url_name="try-it", order=BESIDE_THE_JOBS)

from importlib import import_module

from django.apps import AppConfig, apps


class WebhooksConfig(AppConfig):
    name = "apps.webhooks"

    def ready(self) -> None:
        """Offer `callback_url`, and stop the start if a setting is wrong."""
        from apps.webhooks import callback_urls, panel, receivers, signing_secrets, tasks  # noqa: PLC0415  the models must be loaded first
        from warren.delivery import on_final  # noqa: PLC0415  as above

        receivers.of_settings()
        signing_secrets.refuse_weak()
        on_final.offer("callback_url", task=tasks.DELIVER, check=callback_urls.checked)
        if apps.is_installed("warren.dashboard"):  # it is web's alone
            import_module("warren.dashboard.panels").add("webhooks/attempts.html", context=panel.context)

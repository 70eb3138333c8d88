from django.apps import AppConfig


class ProbeConfig(AppConfig):
    name = "apps.probe"

from django.apps import AppConfig


class FetchingConfig(AppConfig):
    name = "apps.fetching"

from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "warren.health"
    label = "health"

from django.apps import AppConfig


class ArithmeticConfig(AppConfig):
    name = "apps.arithmetic"

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "warren.scheduling"
    label = "scheduling"

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "warren.jobs"
    label = "jobs"

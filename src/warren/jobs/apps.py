from django.apps import AppConfig
from django.urls import register_converter

from warren.jobs.addresses import JobIdConverter


class JobsConfig(AppConfig):
    name = "warren.jobs"
    label = "jobs"

    def ready(self) -> None:
        register_converter(JobIdConverter, "job")

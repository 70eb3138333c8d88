from django.apps import AppConfig


class DoctorConfig(AppConfig):
    name = "warren.doctor"
    label = "doctor"

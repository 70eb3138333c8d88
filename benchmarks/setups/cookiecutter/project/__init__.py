from project.celery import app

__all__ = ("app",)

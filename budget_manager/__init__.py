"""The project: settings, URLs and the celery application."""

from budget_manager.celery import app as celery_app

__all__ = ["celery_app"]

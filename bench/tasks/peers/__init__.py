"""Celery and plain django-q2, each set up as its own documentation says."""

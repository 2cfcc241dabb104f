"""The WSGI application: what gunicorn and the Lambda handler call."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
application = get_wsgi_application()

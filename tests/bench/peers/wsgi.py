"""The peers' WSGI callable; DJANGO_SETTINGS_MODULE says which peer."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

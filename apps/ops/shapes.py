"""What app-config looks like."""

from typing import Any

from django.conf import settings
from rest_framework import serializers


class PlatformOut(serializers.Serializer[Any]):
    """Versions of the app on one platform: below the minimum it must be updated."""

    minimum_version = serializers.CharField()
    latest_version = serializers.CharField()
    store_url = serializers.URLField(allow_null=True)


class PlatformsOut(serializers.Serializer[Any]):
    """Each platform."""

    ios = PlatformOut()
    android = PlatformOut()


class ContactOut(serializers.Serializer[Any]):
    """Where people reach us."""

    email = serializers.EmailField()


class ConsentVersionsOut(serializers.Serializer[Any]):
    """The current version of each text, to show and to send with a consent."""

    terms = serializers.CharField()
    privacy = serializers.CharField()
    marketing = serializers.CharField()
    marketing_night = serializers.CharField()


class AppConfigOut(serializers.Serializer[Any]):
    """What an app asks when it starts."""

    platforms = PlatformsOut()
    contact = ContactOut()
    consent_versions = ConsentVersionsOut()
    flags = serializers.DictField(child=serializers.BooleanField())


def app_config_shape() -> dict[str, Any]:
    """An `AppConfigOut`, from the settings."""
    return {
        "platforms": settings.APP_PLATFORMS,
        "contact": {"email": settings.CONTACT_EMAIL},
        "consent_versions": settings.CONSENT_VERSIONS,
        "flags": {},
    }

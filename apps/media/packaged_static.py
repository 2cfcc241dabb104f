"""Static files as a package and an image see them: names in `staticfiles.json`, files elsewhere."""

from typing import Any, NoReturn

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import ImproperlyConfigured


class PackagedStaticStorage(ManifestStaticFilesStorage):
    """Makes links; knows no S3, so that a page imports no boto3."""

    def _save(self, name: str, content: Any) -> NoReturn:
        """Refuse: `collectstatic` would fill this folder, say so, and leave the bucket as it is.

        Raises:
            ImproperlyConfigured: always.
        """
        raise ImproperlyConfigured(
            f"{self.path('staticfiles.json')} is a package's list of names. Where it lies nothing "
            "is sent to STATIC_BUCKET: take it away, or run collectstatic in a checkout."
        )

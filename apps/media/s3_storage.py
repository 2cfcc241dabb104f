"""S3 as Django's storages see it: photos, and the static files of the admin and the docs page."""

from typing import Any

from django_s3_storage.storage import ManifestStaticS3Storage, S3Storage

# What never changes under its name.
_FOR_EVER = "public, max-age=31536000, immutable"


class _WithoutAcl:
    """Who may read is left to the bucket's policy.

    A bucket has no ACLs unless someone switched them on, and S3 then answers 400
    AccessControlListNotSupported to a request that sends one ("Controlling ownership of
    objects", Amazon S3 user guide).
    """

    def _object_put_params(self, name: str) -> dict[str, Any]:
        params: dict[str, Any] = super()._object_put_params(name)  # type: ignore[misc]
        del params["ACL"]
        return params


class PhotoStorage(_WithoutAcl, S3Storage):
    """Renditions (`aws_s3_bucket_auth=False`) and originals (True)."""

    default_s3_settings = S3Storage.default_s3_settings | {
        # A task that runs twice writes the same file twice. Without this the second one gets
        # another name, which no row knows.
        "AWS_S3_FILE_OVERWRITE": True,
        # Pictures are compressed already.
        "AWS_S3_GZIP": False,
    }

    def _object_put_params(self, name: str) -> dict[str, Any]:
        params = super()._object_put_params(name)
        if not self.settings.AWS_S3_BUCKET_AUTH:
            # A rendition's name carries a hash of its content.
            params["CacheControl"] = _FOR_EVER
        return params


class StaticStorage(_WithoutAcl, ManifestStaticS3Storage):
    """What `collectstatic` puts on S3, under names that carry a hash of the content.

    Files of older versions stay, so that pages which a browser still shows keep their styles.
    """

    default_s3_settings = ManifestStaticS3Storage.default_s3_settings | {
        # See delete.
        "AWS_S3_FILE_OVERWRITE": True,
    }

    def delete(self, name: str) -> None:
        """Nothing: `collectstatic` deletes a file to save it again, and pages need it meanwhile."""

    def _object_put_params(self, name: str) -> dict[str, Any]:
        params = super()._object_put_params(name)
        # While the library saves the files with a hash, it says so by this age.
        if self.settings.AWS_S3_MAX_AGE_SECONDS == self.settings.AWS_S3_MAX_AGE_SECONDS_CACHED:
            is_manifest = name == self.manifest_name
            params["CacheControl"] = "no-cache" if is_manifest else _FOR_EVER
        return params

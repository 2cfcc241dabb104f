"""S3 as Django's storages see it, for files of ours that are written once under their name."""

from typing import Any

from django_s3_storage.storage import S3Storage


class PhotoStorage(S3Storage):
    """Renditions (`aws_s3_bucket_auth=False`) and originals (True)."""

    default_s3_settings = S3Storage.default_s3_settings | {
        # A task that runs twice writes the same file twice. Without this the second one gets
        # another name, which no row knows.
        "AWS_S3_FILE_OVERWRITE": True,
        # Pictures are compressed already.
        "AWS_S3_GZIP": False,
    }

    def _object_put_params(self, name: str) -> dict[str, Any]:
        """As the library's, but who may read is left to the bucket's policy.

        A bucket has no ACLs unless someone switched them on, and S3 then answers 400
        AccessControlListNotSupported to a request that sends one ("Controlling ownership of
        objects", Amazon S3 user guide).
        """
        params: dict[str, Any] = super()._object_put_params(name)
        del params["ACL"]
        if not self.settings.AWS_S3_BUCKET_AUTH:
            # A rendition's name carries a hash of its content, so it never changes.
            params["CacheControl"] = "public, max-age=31536000, immutable"
        return params

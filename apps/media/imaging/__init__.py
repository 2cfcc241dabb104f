"""From the photo a member uploaded to what the app shows: renditions, blurhash, palette, colours.

Pure: knows files and bytes, not Django, storage or the database. Importing this package is cheap;
the image libraries are loaded by the first call of `process_photo`.
"""

from apps.media.imaging.process import ProcessedPhoto, process_photo
from apps.media.imaging.refusals import PHOTO_TYPES, PhotoRefused
from apps.media.imaging.renditions import Rendition

__all__ = ["PHOTO_TYPES", "PhotoRefused", "ProcessedPhoto", "Rendition", "process_photo"]

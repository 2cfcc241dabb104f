"""The words that describe a home. Seeded by a migration, edited in the admin."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Term(models.Model):
    """One word. Its slug is in posts and in apps, so it never changes and never goes; one that
    is no longer offered is made inactive."""

    slug = models.SlugField(max_length=20, primary_key=True)
    name_ko = models.CharField("Korean name", max_length=30)
    name_en = models.CharField("English name", max_length=30)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True, help_text="offered for new posts")

    class Meta:
        abstract = True
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.name_ko


class Pyeong(Term):
    """A floor-area band; a pyeong (평) is 3.3 m²."""

    class Meta(Term.Meta):
        verbose_name, verbose_name_plural = _("pyeong band"), _("pyeong bands")


class HousingType(Term):
    """What kind of building, or of flat, it is."""

    class Meta(Term.Meta):
        verbose_name, verbose_name_plural = _("housing type"), _("housing types")


class Style(Term):
    """A style of interior."""

    class Meta(Term.Meta):
        verbose_name, verbose_name_plural = _("style"), _("styles")


class Color(Term):
    """A colour that a home is known by. Which ones are suggested for a photo is decided in
    apps/media/imaging/colors.py: one that operators add is not."""

    class Meta(Term.Meta):
        verbose_name, verbose_name_plural = _("colour"), _("colours")

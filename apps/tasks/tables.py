"""Django-Q where no cluster runs: its tables are migrated, and its code is not loaded."""

from django.apps import AppConfig, apps


class DjangoQTables(AppConfig):
    """In the place of `django_q` on Lambda, where its models are a tenth of a cold start.

    A migration that is run there makes the same tables as elsewhere, so that a cluster in a
    container finds them.
    """

    name = "django_q"
    default_auto_field = "django.db.models.AutoField"

    def import_models(self) -> None:
        """None."""
        self.models = apps.all_models[self.label]

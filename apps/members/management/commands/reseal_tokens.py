"""`manage.py reseal_tokens`: see SOCIAL_TOKEN_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.members.services.identities import reseal_tokens


class Command(BaseCommand):
    """Encrypts all kept provider tokens anew, so that an old key of SOCIAL_TOKEN_KEYS can go."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell how many there were."""
        self.stdout.write(f"{reseal_tokens()} tokens are encrypted with the first key")

"""Whose a login at a provider is, or was until its provider ended it."""

from django.db.models import Exists, OuterRef

from apps.members.models import Leaving, Member, SocialIdentity
from apps.members.models.identity import SocialIdentityQuerySet
from apps.members.models.leaving import LeavingQuerySet
from apps.members.social.proof import Proof


def identities_of(proof: Proof) -> SocialIdentityQuerySet:
    """The identity that the proof is of: one or none."""
    return SocialIdentity.objects.filter(provider=proof.provider, subject=proof.subject)


def ways_back(proof: Proof) -> LeavingQuerySet:
    """Who is leaving since the provider ended this login, which leads them back."""
    return Leaving.objects.led_back_by(proof.provider, proof.subject)


def lock_owner(proof: Proof) -> Member | None:
    """The member who logs in with it, or else whom it leads back; their row is locked.

    Look at both again under the lock: it may have been unlinked, or linked anew, meanwhile.
    """
    own = identities_of(proof)
    # In one statement, since a notice or another tap moves it from one place to the other.
    members = own.values("member").union(ways_back(proof).values("member"))
    return (
        Member.objects.select_for_update(no_key=True)
        .filter(pk__in=members)
        # Whoever links it has it, also from one who is leaving.
        .order_by(Exists(own.filter(member=OuterRef("pk"))).desc())
        .first()
    )

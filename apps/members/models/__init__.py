"""Models of members."""

from apps.members.models.consent import Consent, ConsentNotice
from apps.members.models.export import Export
from apps.members.models.identity import (
    PendingUnlink,
    Provider,
    ProviderNotice,
    SocialIdentity,
    SocialNonce,
    SpentCredential,
)
from apps.members.models.leaving import Leaving, RetainedRecord
from apps.members.models.member import Member
from apps.members.models.relations import Block, Follow, Mute
from apps.members.models.session import DeviceSession, RefreshToken

__all__ = [
    "Block",
    "Consent",
    "ConsentNotice",
    "DeviceSession",
    "Export",
    "Follow",
    "Leaving",
    "Member",
    "Mute",
    "PendingUnlink",
    "Provider",
    "ProviderNotice",
    "RefreshToken",
    "RetainedRecord",
    "SocialIdentity",
    "SocialNonce",
    "SpentCredential",
]

"""Models of members."""

from apps.members.models.consent import Consent
from apps.members.models.member import Member
from apps.members.models.relations import Block, Follow, Mute
from apps.members.models.session import DeviceSession, RefreshToken

__all__ = ["Block", "Consent", "DeviceSession", "Follow", "Member", "Mute", "RefreshToken"]

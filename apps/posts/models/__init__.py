"""Models of posts."""

from apps.posts.models.comment import Comment
from apps.posts.models.post import Photo, Post, PostLike
from apps.posts.models.taxonomy import Color, HousingType, Pyeong, Style

__all__ = ["Color", "Comment", "HousingType", "Photo", "Post", "PostLike", "Pyeong", "Style"]

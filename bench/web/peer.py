"""FastAPI and SQLAlchemy, as their own documentation combines them: the same 20 cards.

An async engine over asyncpg, models of SQLAlchemy's ORM with the author, the cover and their
uploads joined, and pydantic's response model. Run by `uvicorn bench.web.peer:app`.
"""

import os
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import ForeignKey, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship
from sqlalchemy.types import String

MEDIA = os.environ["BENCH_MEDIA_URL"]
# Before each request both ask whether a kept connection still works.
engine = create_async_engine(
    os.environ["BENCH_SQLALCHEMY_URL"], pool_size=8, max_overflow=0, pool_pre_ping=True
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


# --- Tables -------------------------------------------------------------------------------------
class Base(DeclarativeBase):
    """Of igloo's tables, the columns that a card needs."""


class Upload(Base):
    __tablename__ = "media_upload"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    blurhash: Mapped[str]
    palette: Mapped[list[Any]] = mapped_column(JSONB)
    renditions: Mapped[list[Any]] = mapped_column(JSONB)


class Photo(Base):
    __tablename__ = "posts_photo"
    upload_id: Mapped[UUID] = mapped_column(ForeignKey("media_upload.id"), primary_key=True)
    caption: Mapped[str]
    products: Mapped[list[Any]] = mapped_column(JSONB)
    upload: Mapped[Upload] = relationship()


class Member(Base):
    __tablename__ = "members_member"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    display_name: Mapped[str]
    is_active: Mapped[bool]
    avatar_id: Mapped[UUID | None] = mapped_column(ForeignKey("media_upload.id"))
    avatar: Mapped[Upload | None] = relationship()


class Post(Base):
    __tablename__ = "posts_post"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str]
    title: Mapped[str]
    content: Mapped[str]
    pyeong_id: Mapped[str | None]
    housing_type_id: Mapped[str | None]
    styles: Mapped[list[str]] = mapped_column(ARRAY(String))
    colors: Mapped[list[str]] = mapped_column(ARRAY(String))
    photo_count: Mapped[int]
    like_count: Mapped[int]
    comment_count: Mapped[int]
    save_count: Mapped[int]
    published_at: Mapped[datetime | None]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("members_member.id"))
    cover_id: Mapped[UUID | None] = mapped_column(ForeignKey("posts_photo.upload_id"))
    author: Mapped[Member] = relationship()
    cover: Mapped[Photo | None] = relationship()


# --- Answers ------------------------------------------------------------------------------------
class AvatarOut(BaseModel):
    url: str
    width: int
    height: int


class AuthorOut(BaseModel):
    id: UUID
    username: str
    display_name: str
    avatar: AvatarOut | None


class ColorOut(BaseModel):
    hex: str
    share: float


class RenditionOut(BaseModel):
    name: str
    url: str
    width: int
    height: int
    content_type: str


class PhotoOut(BaseModel):
    id: UUID
    position: int
    caption: str
    width: int
    height: int
    blurhash: str
    palette: list[ColorOut]
    renditions: list[RenditionOut]
    products: list[Any]


class CardOut(BaseModel):
    id: UUID
    title: str
    excerpt: str
    author: AuthorOut
    cover: PhotoOut | None
    photo_count: int
    pyeong: str | None
    housing_type: str | None
    styles: list[str]
    colors: list[str]
    like_count: int
    comment_count: int
    save_count: int
    liked_by_me: bool
    saved_by_me: bool
    published_at: datetime | None


class PageOut(BaseModel):
    items: list[CardOut]
    next_cursor: str | None


def rendition(made: dict[str, Any]) -> RenditionOut:
    return RenditionOut(
        name=made["name"],
        url=MEDIA + made["key"],
        width=made["width"],
        height=made["height"],
        content_type=made["content_type"],
    )


def avatar(upload: Upload | None) -> AvatarOut | None:
    for made in upload.renditions if upload else ():
        if made["name"] == "small":
            return AvatarOut(url=MEDIA + made["key"], width=made["width"], height=made["height"])
    return None


def card(post: Post) -> CardOut:
    words = " ".join(post.content[:160].split())
    photo, author = post.cover, post.author
    return CardOut(
        id=post.id,
        title=post.title,
        excerpt=words if len(words) <= 100 else words[:99].rstrip() + "…",
        author=AuthorOut(
            id=author.id,
            username=author.username,
            display_name=author.display_name,
            avatar=avatar(author.avatar),
        ),
        cover=photo
        and PhotoOut(
            id=photo.upload_id,
            position=0,
            caption=photo.caption,
            width=photo.upload.width,
            height=photo.upload.height,
            blurhash=photo.upload.blurhash,
            palette=[ColorOut(**color) for color in photo.upload.palette],
            renditions=[rendition(made) for made in photo.upload.renditions],
            products=photo.products,
        ),
        photo_count=post.photo_count,
        pyeong=post.pyeong_id,
        housing_type=post.housing_type_id,
        styles=post.styles,
        colors=post.colors,
        like_count=post.like_count,
        comment_count=post.comment_count,
        save_count=post.save_count,
        liked_by_me=False,
        saved_by_me=False,
        published_at=post.published_at,
    )


# --- The endpoint -------------------------------------------------------------------------------
async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


@app.get("/api/v1/posts")
async def posts(
    database: Annotated[AsyncSession, Depends(session)], housing_type: str, limit: int = 20
) -> PageOut:
    wanted = (
        select(Post)
        .join(Post.author)
        .where(Post.status == "published", Member.is_active, Post.housing_type_id == housing_type)
        .order_by(Post.published_at.desc(), Post.id.desc())
        .limit(limit + 1)
        .options(
            joinedload(Post.author).joinedload(Member.avatar),
            joinedload(Post.cover).joinedload(Photo.upload),
        )
    )
    found = (await database.scalars(wanted)).all()
    more = len(found) > limit
    return PageOut(
        items=[card(post) for post in found[:limit]],
        next_cursor=str(found[limit - 1].id) if more else None,
    )

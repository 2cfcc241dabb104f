"""The endpoints of posts, likes, comments and taxonomies."""

from typing import Any
from uuid import UUID

from django.utils.translation import get_language
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import NotFound
from apps.common.etags import expected_versions, versioned_response
from apps.common.idempotency import idempotent
from apps.common.lookups import get_or_404
from apps.common.openapi import PAGING, describe, page_schema
from apps.common.paging import page_of
from apps.common.permissions import MembersOnly, MembersWrite
from apps.media import errors as media_errors
from apps.media.shapes import media_base
from apps.members.authentication import current_member
from apps.members.models import Member
from apps.members.shapes import OtherMemberOut, other_member_rows, other_member_shape
from apps.posts import errors, examples, shapes
from apps.posts.filters import POST_FILTERS, post_filter
from apps.posts.models import Color, Comment, HousingType, Photo, Post, PostLike, Pyeong, Style
from apps.posts.serializers import CommentIn, PostIn
from apps.posts.services import comments, likes, posts

_UPLOAD_ERRORS = (
    media_errors.UploadNotFound,
    media_errors.UploadNotReady,
    media_errors.UploadFailed,
    media_errors.UploadInUse,
)


def _post_answer(request: Request, post_id: UUID, status: int = 200) -> Response:
    """A post by itself, with its ETag; raises NotFound."""
    rows = Post.objects.for_pages(request.user).visible_to(request.user).filter(pk=post_id)
    row = rows.first()
    if row is None:
        raise NotFound
    photos = Photo.objects.of_post(post_id)
    shape = shapes.post_alone(row, photos, media_base(request))
    return versioned_response(shape, row["version"], status=status)


class PostsView(APIView):
    """Finding posts, and making one."""

    permission_classes = [MembersWrite]

    @describe(
        summary="Published posts",
        tag="posts",
        answers={200: page_schema(shapes.CardOut)},
        query=(*POST_FILTERS, *PAGING),
        example_out=examples.page(examples.CARD),
    )
    def get(self, request: Request) -> Response:
        """Newest first. A filter takes values separated by commas and means any of them;
        different filters mean all of them. Without those whom I mute."""
        base = media_base(request)
        rows = Post.objects.for_cards(request.user).listed_for(request.user)
        page = page_of(
            rows.filter(post_filter(request.query_params)),
            request,
            name="posts",
            keys=["published_at", "id"],
            shape=lambda row: shapes.card(row, base),
        )
        return Response(page)

    @describe(
        summary="Make a post",
        tag="posts",
        body=PostIn,
        answers={201: shapes.PostOut},
        errors=_UPLOAD_ERRORS,
        idempotent=True,
        example_in=examples.POST_IN,
        example_out=examples.POST,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """A draft unless `status` is `published`; a draft may lack anything."""
        body = PostIn(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.changes()
        publish = fields.pop("status", Post.Status.DRAFT) == Post.Status.PUBLISHED
        post = posts.create_post(author=current_member(request), publish=publish, **fields)
        return _post_answer(request, post.pk, status=201)


class PostView(APIView):
    """One post."""

    permission_classes = [MembersWrite]

    @describe(
        summary="A post", tag="posts", answers={200: shapes.PostOut}, example_out=examples.POST
    )
    def get(self, request: Request, post_id: UUID) -> Response:
        """With all photos. A draft is there for its author alone."""
        return _post_answer(request, post_id)

    @describe(
        summary="Change or publish a post",
        tag="posts",
        body=PostIn,
        answers={200: shapes.PostOut},
        errors=(errors.NotYours, errors.PostAlreadyPublished, *_UPLOAD_ERRORS),
        if_match=True,
        example_in={"status": "published"},
        example_out=examples.POST,
    )
    def patch(self, request: Request, post_id: UUID) -> Response:
        """What is left out stays. `photos` are all photos in their new order: a photo of the post
        by its `id` (or `upload_id`), a new one by `upload_id`; one that is left out is deleted."""
        body = PostIn(data=request.data)
        body.is_valid(raise_exception=True)
        posts.update_post(
            post_id=post_id,
            member=current_member(request),
            changes=body.changes(),
            expected=expected_versions(request),
        )
        return _post_answer(request, post_id)

    @describe(summary="Delete a post", tag="posts", answers={204: None}, errors=[errors.NotYours])
    def delete(self, request: Request, post_id: UUID) -> Response:
        """With its photos, likes and comments."""
        posts.delete_post(post_id=post_id, member=current_member(request))
        return Response(status=204)


class PostLikeView(APIView):
    """The caller's like of a post."""

    permission_classes = [MembersWrite]

    @describe(
        summary="Like a post", tag="posts", answers={204: None}, errors=[errors.PostNotPublished]
    )
    def put(self, request: Request, post_id: UUID) -> Response:
        """Again is harmless."""
        likes.like_post(member=current_member(request), post_id=post_id)
        return Response(status=204)

    @describe(summary="Take a like back", tag="posts", answers={204: None})
    def delete(self, request: Request, post_id: UUID) -> Response:
        """Again is harmless."""
        likes.unlike_post(member=current_member(request), post_id=post_id)
        return Response(status=204)


class PostLikesView(APIView):
    """Who likes a post."""

    permission_classes = [AllowAny]

    @describe(
        summary="Members who like a post",
        tag="posts",
        answers={200: page_schema(OtherMemberOut)},
        query=PAGING,
        example_out=examples.page(examples.MEMBER),
    )
    def get(self, request: Request, post_id: UUID) -> Response:
        """The newest like first."""
        base = media_base(request)
        post = get_or_404(Post.objects.visible_to(request.user), post_id)
        likes = PostLike.objects.visible_to(request.user).filter(post=post)
        page = page_of(
            other_member_rows(likes, request.user, "id", prefix="member"),
            request,
            name="post_likes",
            keys=["id"],
            shape=lambda row: other_member_shape(row, base, "member"),
        )
        return Response(page)


class MyLikesView(APIView):
    """What I like."""

    permission_classes = [MembersOnly]

    @describe(
        summary="Posts that I like",
        tag="members",
        answers={200: page_schema(shapes.CardOut)},
        query=PAGING,
        example_out=examples.page(examples.CARD),
    )
    def get(self, request: Request) -> Response:
        """The newest like first."""
        base = media_base(request)
        rows = Post.objects.liked_cards(request.user)
        page = page_of(
            rows,
            request,
            name="my_likes",
            keys=["like_id"],
            shape=lambda row: shapes.card(row, base),
        )
        return Response(page)


class MyDraftsView(APIView):
    """What I have not published."""

    permission_classes = [MembersOnly]

    @describe(
        summary="My drafts",
        tag="members",
        answers={200: page_schema(shapes.CardOut)},
        query=PAGING,
        example_out=examples.page(
            examples.CARD | {"published_at": None, "like_count": 0, "liked_by_me": False}
        ),
    )
    def get(self, request: Request) -> Response:
        """The newest first."""
        base = media_base(request)
        page = page_of(
            Post.objects.for_cards(request.user).drafts_of(request.user),
            request,
            name="my_drafts",
            keys=["id"],
            shape=lambda row: shapes.card(row, base),
        )
        return Response(page)


class MemberPostsView(APIView):
    """What a member published."""

    permission_classes = [AllowAny]

    @describe(
        summary="A member's posts",
        tag="members",
        answers={200: page_schema(shapes.CardOut)},
        query=PAGING,
        example_out=examples.page(examples.CARD),
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """Newest first; also of someone whom I mute."""
        base = media_base(request)
        member = get_or_404(Member.objects.visible_to(request.user), member_id)
        page = page_of(
            Post.objects.for_cards(request.user).published_to(request.user).filter(author=member),
            request,
            name="member_posts",
            keys=["published_at", "id"],
            shape=lambda row: shapes.card(row, base),
        )
        return Response(page)


class PostCommentsView(APIView):
    """Comments under a post."""

    permission_classes = [MembersWrite]

    @describe(
        summary="Comments under a post",
        tag="comments",
        answers={200: page_schema(shapes.CommentOut)},
        query=PAGING,
        example_out=examples.page(examples.COMMENT),
    )
    def get(self, request: Request, post_id: UUID) -> Response:
        """The newest first, without those whom I mute."""
        base = media_base(request)
        post = get_or_404(Post.objects.visible_to(request.user), post_id)
        page = page_of(
            Comment.objects.listed_for(request.user, post).values(*shapes.COMMENT_COLUMNS),
            request,
            name="comments",
            keys=["id"],
            shape=lambda row: shapes.comment(row, base),
        )
        return Response(page)

    @describe(
        summary="Comment on a post",
        tag="comments",
        body=CommentIn,
        answers={201: shapes.CommentOut},
        errors=[errors.PostNotPublished],
        idempotent=True,
        example_in={"content": examples.COMMENT["content"]},
        example_out=examples.COMMENT,
    )
    @idempotent
    def post(self, request: Request, post_id: UUID) -> Response:
        """Say something."""
        body = CommentIn(data=request.data)
        body.is_valid(raise_exception=True)
        comment = comments.create_comment(
            author=current_member(request), post_id=post_id, **body.validated_data
        )
        return _comment_answer(request, comment, status=201)


def _comment_answer(request: Request, comment: Comment, status: int = 200) -> Response:
    row = Comment.objects.filter(pk=comment.pk).values(*shapes.COMMENT_COLUMNS).first()
    if row is None:
        raise NotFound
    shape = shapes.comment(row, media_base(request))
    return versioned_response(shape, comment.version, status=status)


class CommentView(APIView):
    """One comment."""

    permission_classes = [MembersWrite]

    @describe(
        summary="Change my comment",
        tag="comments",
        body=CommentIn,
        answers={200: shapes.CommentOut},
        errors=[errors.NotYours],
        if_match=True,
        example_in={"content": "테이블 어디 제품인지 궁금해요."},
        example_out=examples.COMMENT,
    )
    def patch(self, request: Request, comment_id: UUID) -> Response:
        """Only its author can."""
        body = CommentIn(data=request.data)
        body.is_valid(raise_exception=True)
        comment = comments.update_comment(
            member=current_member(request),
            comment_id=comment_id,
            expected=expected_versions(request),
            **body.validated_data,
        )
        return _comment_answer(request, comment)

    @describe(
        summary="Delete a comment",
        tag="comments",
        answers={204: None},
        errors=[errors.NotYours],
    )
    def delete(self, request: Request, comment_id: UUID) -> Response:
        """Its author can, and the author of the post."""
        comments.delete_comment(member=current_member(request), comment_id=comment_id)
        return Response(status=204)


class TaxonomiesView(APIView):
    """The words that describe a home."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @describe(
        summary="Words that describe a home",
        tag="posts",
        answers={200: shapes.TaxonomiesOut},
        example_out=examples.TAXONOMIES,
    )
    def get(self, request: Request) -> Response:
        """Names follow Accept-Language; the keys are the names of the filters."""
        name = "name_en" if get_language() == "en" else "name_ko"

        def terms(model: Any) -> list[dict[str, str]]:
            rows = model.objects.filter(is_active=True).values_list("slug", name)
            return [{"slug": slug, "name": text} for slug, text in rows]

        return Response(
            {
                "pyeong": terms(Pyeong),
                "housing_type": terms(HousingType),
                "style": terms(Style),
                "color": terms(Color),
            }
        )

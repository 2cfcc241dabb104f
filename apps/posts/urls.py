"""Paths of the posts endpoints, under /api/v1."""

from django.urls import path

from apps.posts import views

urlpatterns = [
    path("posts", views.PostsView.as_view()),
    path("posts/<uuid:post_id>", views.PostView.as_view()),
    path("posts/<uuid:post_id>/like", views.PostLikeView.as_view()),
    path("posts/<uuid:post_id>/likes", views.PostLikesView.as_view()),
    path("posts/<uuid:post_id>/comments", views.PostCommentsView.as_view()),
    path("comments/<uuid:comment_id>", views.CommentView.as_view()),
    path("me/likes", views.MyLikesView.as_view()),
    path("me/drafts", views.MyDraftsView.as_view()),
    path("members/<uuid:member_id>/posts", views.MemberPostsView.as_view()),
    path("taxonomies", views.TaxonomiesView.as_view()),
]

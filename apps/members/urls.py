"""Paths of the auth and members endpoints, under /api/v1."""

from django.urls import path

from apps.members.views import login, passwords, profiles, relations, sessions

urlpatterns = [
    path("auth/signup", login.SignupView.as_view()),
    path("auth/login", login.LoginView.as_view()),
    path("auth/refresh", login.RefreshView.as_view()),
    path("auth/logout", login.LogoutView.as_view()),
    path("auth/sessions", sessions.SessionsView.as_view()),
    path("auth/sessions/<uuid:session_id>", sessions.SessionView.as_view()),
    path("auth/username-available", login.UsernameAvailableView.as_view()),
    path("auth/password/change", passwords.PasswordChangeView.as_view()),
    path("me", profiles.MeView.as_view()),
    path("me/blocks", relations.MyBlocksView.as_view()),
    path("me/mutes", relations.MyMutesView.as_view()),
    path("members", profiles.MembersView.as_view()),
    path("members/<uuid:member_id>", profiles.MemberView.as_view()),
    path("members/<uuid:member_id>/followers", relations.FollowersView.as_view()),
    path("members/<uuid:member_id>/following", relations.FollowingView.as_view()),
    path("members/<uuid:member_id>/follow", relations.FollowView.as_view()),
    path("members/<uuid:member_id>/block", relations.BlockView.as_view()),
    path("members/<uuid:member_id>/mute", relations.MuteView.as_view()),
]

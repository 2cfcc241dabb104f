"""Paths of the auth and members endpoints, under /api/v1, and of what providers call."""

from django.urls import path

from apps.members.views import identities, login, passwords, profiles, sessions, social, webhooks

urlpatterns = [
    path("auth/signup", login.SignupView.as_view()),
    path("auth/login", login.LoginView.as_view()),
    path("auth/nonce", social.NonceView.as_view()),
    path("auth/social/<str:provider>", social.SocialLoginView.as_view()),
    path("auth/refresh", login.RefreshView.as_view()),
    path("auth/logout", login.LogoutView.as_view()),
    path("auth/sessions", sessions.SessionsView.as_view()),
    path("auth/sessions/<uuid:session_id>", sessions.SessionView.as_view()),
    path("auth/username-available", login.UsernameAvailableView.as_view()),
    path("auth/password/change", passwords.PasswordChangeView.as_view()),
    path("me/identities", identities.IdentitiesView.as_view()),
    path("me/identities/<str:provider>", identities.IdentityView.as_view()),
    path("me", profiles.MeView.as_view()),
    path("members/<uuid:member_id>", profiles.MemberView.as_view()),
]
webhook_urlpatterns = [
    path("apple", webhooks.apple),
    path("kakao", webhooks.kakao),
    path("facebook", webhooks.facebook),
    path("facebook/deletions/<uuid:notice_id>", webhooks.facebook_deletion),
]

"""Paths of the auth and members endpoints, under /api/v1, of the pages under /account, and of what
providers call."""

from django.urls import path

from apps.members.views import (
    account_pages,
    consents,
    deletion_login,
    emails,
    exports,
    identities,
    link_pages,
    login,
    passwords,
    profiles,
    relations,
    sessions,
    social,
    webhooks,
)

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
    path("auth/password/reset", passwords.PasswordResetView.as_view()),
    path("auth/password/reset/confirm", passwords.PasswordResetConfirmView.as_view()),
    path("auth/email/verify", emails.EmailVerifyView.as_view()),
    path("auth/email/verify/confirm", emails.EmailVerifyConfirmView.as_view()),
    path("me/identities", identities.IdentitiesView.as_view()),
    path("me/identities/<str:provider>", identities.IdentityView.as_view()),
    path("me", profiles.MeView.as_view()),
    path("me/consents", consents.ConsentsView.as_view()),
    path("me/consents/<str:kind>", consents.ConsentView.as_view()),
    path("me/export", exports.ExportsView.as_view()),
    path("me/export/<uuid:export_id>", exports.ExportView.as_view()),
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

page_urlpatterns = [
    path("delete", account_pages.DeletePage.as_view(), name="account-delete"),
    path(
        "delete/<str:provider>",
        deletion_login.ProviderPage.as_view(),
        name="account-delete-provider",
    ),
    path("restore", account_pages.RestorePage.as_view(), name="account-restore"),
    path("export/<str:token>", exports.export_file),
    path("password", link_pages.PasswordPage.as_view()),
    path("verify", link_pages.VerifyPage.as_view()),
]

webhook_urlpatterns = [
    path("apple", webhooks.apple),
    path("kakao", webhooks.kakao),
    path("facebook", webhooks.facebook),
    path("facebook/deletions/<uuid:notice_id>", webhooks.facebook_deletion),
]

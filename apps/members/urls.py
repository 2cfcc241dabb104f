"""Paths of the auth and members endpoints, under /api/v1, and of the pages outside of it."""

from django.urls import path

from apps.members.views import account_pages, exports, login, passwords, profiles, sessions

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
    path("me/export", exports.ExportsView.as_view()),
    path("me/export/<uuid:export_id>", exports.ExportView.as_view()),
    path("members/<uuid:member_id>", profiles.MemberView.as_view()),
]

page_urlpatterns = [
    path("account/delete", account_pages.DeletePage.as_view(), name="account-delete"),
    path("account/restore", account_pages.RestorePage.as_view(), name="account-restore"),
    path("account/export/<str:token>", exports.export_file),
]

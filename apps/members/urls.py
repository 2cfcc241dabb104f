"""Paths of the auth and members endpoints, under /api/v1."""

from django.urls import path

from apps.members import views

urlpatterns = [
    path("auth/signup", views.SignupView.as_view()),
    path("auth/login", views.LoginView.as_view()),
    path("auth/refresh", views.RefreshView.as_view()),
    path("auth/logout", views.LogoutView.as_view()),
    path("auth/sessions", views.SessionsView.as_view()),
    path("auth/sessions/<uuid:session_id>", views.SessionView.as_view()),
    path("auth/username-available", views.UsernameAvailableView.as_view()),
    path("auth/password/change", views.PasswordChangeView.as_view()),
    path("me", views.MeView.as_view()),
    path("members/<uuid:member_id>", views.MemberView.as_view()),
]

"""Addresses of the pages of accounts."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from experiments.accounts import views

#: Where people come in; the same addresses whatever front end there is.
entrance = [
    path("login", views.Login.as_view(), name="login"),
    path("logout", LogoutView.as_view(next_page="login"), name="logout"),
    path("set-up/<str:secret>", views.set_up, name="set_up"),
]
pages = [
    path("settings", views.settings_page, name="settings"),
    path("settings/root", views.change_root, name="change_root"),
    path("settings/tokens", views.new_token, name="new_token"),
    path("settings/tokens/<int:token_id>/revoke", views.end_token, name="end_token"),
    path("settings/password", views.ChangePassword.as_view(), name="change_password"),
]
urlpatterns = entrance + pages

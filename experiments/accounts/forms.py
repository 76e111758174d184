"""What people fill in: the first account, and a new API token."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

#: Days a token may count; "" for one that never expires.
LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("never"))]


class FirstAccountForm(BaseUserCreationForm):
    """A user name that is free and a password, twice, that Django's validators accept."""

    class Meta:
        model = User
        fields = ("username",)


class TokenForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    days = forms.ChoiceField(label=_("Expires after"), choices=LIFETIMES, required=False, initial="90")

    def expires_at(self, now: datetime) -> datetime | None:
        days = self.cleaned_data["days"]
        return now + timedelta(days=int(days)) if days else None

"""What people type in the admin about many runs at once."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from experiments.forms import TagsField
from runicorn.storage.curation import MAX_CHARS


class TagsForm(forms.Form):
    tags = TagsField(label=_("Tags"), help_text=_("With commas between."))


class DescriptionForm(forms.Form):
    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_CHARS["description"],
        required=False,
        help_text=_("Replaces what is there. Empty removes it."),
    )

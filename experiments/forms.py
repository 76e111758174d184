"""What people record about runs, as forms of pages and of the admin."""

from __future__ import annotations

from typing import Any

import orjson
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from experiments.models import Run
from experiments.services.curation import tags_in
from runicorn.errors import InvalidInput
from runicorn.storage.curation import MAX_CHARS, Edit, check_tag
from runicorn.storage.run_colors import COLORS

#: By run_colors.COLORS; the first leaves the colour to the run's id.
COLOR_CHOICES = (
    ("", _("by its id")),
    ("blue", _("blue")),
    ("orange", _("orange")),
    ("green", _("green")),
    ("pink", _("pink")),
    ("amber", _("amber")),
    ("sky", _("sky blue")),
    ("olive", _("olive")),
    ("grey", _("grey")),
    ("navy", _("navy")),
    ("brown", _("brown")),
    ("forest", _("forest green")),
    ("plum", _("plum")),
)


class ColorSelect(forms.RadioSelect):
    """Each choice with the class that shows its colour."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        if option["value"]:
            option["attrs"]["class"] = f"run-color-{COLORS.index(option['value'])}"
        return option


class TagsField(forms.CharField):
    """Tags with commas between; each new one is checked."""

    def validate(self, value: str) -> None:
        super().validate(value)
        for tag in tags_in(value):
            try:
                check_tag(tag)
            except InvalidInput as error:
                raise ValidationError(str(error)) from error


class ShownForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What people record about a row. Each field remembers what the page showed, so only what was changed on it is
    written: somebody else's change of another field, or of another tag, meanwhile is kept.
    """

    tags = forms.CharField(label=_("Tags"), required=False, help_text=_("With commas between."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean_tags(self) -> str:
        value: str = self.cleaned_data["tags"]
        for tag in self.added("tags"):
            try:
                check_tag(tag)
            except InvalidInput as error:
                raise ValidationError(str(error)) from error
        return value

    def changed(self) -> dict[str, Any]:
        """The fields that were changed on the page, with what they say now. The form is valid."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def added(self, name: str) -> list[str]:
        """What a list with commas has now and did not have when it was shown."""
        shown = tags_in(self.shown(name))
        return [tag for tag in tags_in(self.cleaned_data[name]) if tag not in shown]

    def removed(self, name: str) -> list[str]:
        now = tags_in(self.cleaned_data[name])
        return [tag for tag in tags_in(self.shown(name)) if tag not in now]

    def shown(self, name: str) -> str:
        """A field as the page showed it, which may be another by now."""
        return str(self.data.get(self.add_initial_prefix(name), self.initial[name]))


class RunForm(ShownForm):
    notes = forms.CharField(
        label=_("Notes"), required=False, widget=forms.Textarea, max_length=MAX_CHARS["notes"], strip=False
    )
    display_name = forms.CharField(label=_("Name"), required=False, max_length=MAX_CHARS["display_name"])
    description = forms.CharField(label=_("Description"), required=False, max_length=MAX_CHARS["description"])
    color = forms.ChoiceField(label=_("Colour"), required=False, widget=ColorSelect, choices=COLOR_CHOICES)
    archived = forms.BooleanField(label=_("Archived"), required=False)
    pinned = forms.BooleanField(label=_("Pinned"), required=False)

    class Meta:
        model = Run
        fields = ("tags", "display_name", "description", "notes", "color", "archived", "pinned")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["tags"] = ", ".join(orjson.loads(self.instance.tags))
        self.initial["color"] = self.instance.color or ""
        self.initial["notes"] = self.instance.detail.notes if hasattr(self.instance, "detail") else ""

    def edit(self) -> Edit:
        """What was changed on the page. The form is valid."""
        fields = {name: value for name, value in self.changed().items() if name != "tags"}
        return Edit(add_tags=self.added("tags"), remove_tags=self.removed("tags"), **fields)

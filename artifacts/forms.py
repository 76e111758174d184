"""What people fill in on the page of a version. A form that is refused keeps what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext_lazy as _

from artifacts.api.curation_requests import NOTES_MAX_CHARS
from artifacts.models import ArtifactAlias, ArtifactVersion
from artifacts.templatetags.artifact_pages import STAGE_WORDS
from runicorn.artifacts.curation import STAGE_MOVES, StageMove, VersionEdit, text_mark

Kind = TypeVar("Kind", bound=forms.Form)
#: As many as an alias that is there can have; the library refuses shorter ones, and says why.
ALIAS_MAX_CHARS = ArtifactAlias._meta.get_field("alias").max_length


class EditForm(forms.Form):
    """Description and tags. Of two people who save at once each changes only what they touched.

    description_seen (text_mark), tags_seen: what stood in the form when it was made.
    """

    description = forms.CharField(
        label=_("Description"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "form-control form-control-sm"}),
    )
    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control form-control-sm", "autocomplete": "off"}),
        help_text=_("Commas stand between tags."),
    )
    description_seen = forms.CharField(required=False, widget=forms.HiddenInput)
    tags_seen = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def edit(self) -> VersionEdit:
        """Of a valid form."""
        values = self.cleaned_data
        description, seen = "\n".join(values["description"].splitlines()), values["description_seen"]
        tags, tags_seen = _tags(values["tags"]), _tags(values["tags_seen"])
        is_same = text_mark(description) == seen
        return VersionEdit(
            description=None if is_same else description,
            description_seen=None if is_same else seen,
            add_tags=[tag for tag in tags if tag not in tags_seen],
            remove_tags=[tag for tag in tags_seen if tag not in tags],
        )

    def renew(self, version: ArtifactVersion) -> None:
        """Of a form that was refused: if it is sent again, it replaces the description that stands there now."""
        typed, seen = self.data.get("description", ""), self.data.get("description_seen")
        now = text_mark(version.description)
        if seen not in (now, text_mark(typed)):
            self.add_error(None, _("The description stands above. If you save again, yours replaces it."))
            self.data = {name: self.data[name] for name in self.data} | {"description_seen": now}


class StageForm(forms.Form):
    to_stage = forms.CharField(
        label=_("Move to"), widget=forms.Select(attrs={"class": "form-select form-select-sm"}), max_length=100
    )
    notes = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=NOTES_MAX_CHARS,
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control form-control-sm"}),
    )

    def move(self) -> StageMove:
        """Of a valid form."""
        return StageMove(self.cleaned_data["to_stage"], notes=self.cleaned_data["notes"] or None)


class AliasForm(forms.Form):
    alias = forms.CharField(
        label=_("Alias"),
        max_length=ALIAS_MAX_CHARS,
        widget=forms.TextInput(
            attrs={
                "class": "form-control form-control-sm",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )


@dataclass(frozen=True)
class VersionForms:
    """The forms of one version's page; refused: the one among them that was sent and not carried out."""

    edit: EditForm
    stage: StageForm
    alias: AliasForm
    refused: forms.Form | None

    @classmethod
    def of(cls, version: ArtifactVersion, *, refused: forms.Form | None = None) -> VersionForms:
        seen = {"description_seen": text_mark(version.description), "tags_seen": ", ".join(version.tags)}
        written = {"description": version.description, "tags": seen["tags_seen"]}
        made = cls(
            edit=_form(EditForm, refused, initial=seen | written),
            stage=_form(StageForm, refused, initial={}),
            alias=_form(AliasForm, refused, initial={}),
            refused=refused,
        )
        made.stage.fields["to_stage"].widget.choices = [
            (stage, STAGE_WORDS[stage][0]) for stage in STAGE_MOVES.get(version.stage, ())
        ]
        return made


def _form(kind: type[Kind], refused: forms.Form | None, *, initial: dict[str, Any]) -> Kind:
    return refused if isinstance(refused, kind) else kind(initial=initial)


def _tags(text: str) -> list[str]:
    return [tag for part in text.split(",") if (tag := part.strip())]

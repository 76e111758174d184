"""What people type in the admin about versions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from artifacts.api.curation_requests import NOTES_MAX_CHARS
from artifacts.models import ArtifactVersion
from artifacts.queries.artifacts import aliases_by_version
from artifacts.templatetags.artifact_pages import STAGE_WORDS
from experiments.forms import ShownForm
from runicorn.artifacts.curation import DESCRIPTION_MAX_CHARS, STAGE_MOVES, StageMove, VersionEdit, text_mark
from runicorn.artifacts.names import LATEST, check_alias
from runicorn.errors import InvalidName


class VersionForm(ShownForm):
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea, max_length=DESCRIPTION_MAX_CHARS
    )
    stage = forms.ChoiceField(label=_("Stage"))
    stage_notes = forms.CharField(
        label=_("Reason of the move"), required=False, widget=forms.Textarea, max_length=NOTES_MAX_CHARS
    )
    aliases = forms.CharField(
        label=_("Aliases"),
        required=False,
        help_text=_("With commas between. One that names another version moves to this one."),
    )

    class Meta:
        model = ArtifactVersion
        fields = ("description", "tags", "aliases", "stage", "stage_notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version = self.instance
        aliases = aliases_by_version(version.artifact).get(version.number, [])
        own = ", ".join(alias for alias in aliases if alias != LATEST)
        self.initial.update({"tags": ", ".join(version.tags), "aliases": own, "stage_notes": ""})
        stages = (version.stage, *STAGE_MOVES.get(version.stage, ()))
        stage_field: Any = self.fields["stage"]
        stage_field.choices = [(stage, STAGE_WORDS[stage][0]) for stage in stages if stage in STAGE_WORDS]

    def clean_aliases(self) -> str:
        value: str = self.cleaned_data["aliases"]
        for alias in self.added("aliases"):
            if alias == LATEST:
                raise ValidationError(_("The alias latest always names the newest version; it cannot be set."))
            try:
                check_alias(alias)
            except InvalidName as error:
                raise ValidationError(str(error)) from error
        return value

    def clean(self) -> dict[str, Any]:
        super().clean()
        values: dict[str, Any] = self.cleaned_data
        if values.get("stage_notes") and "stage" not in self.changed_data:
            self.add_error("stage_notes", _("This is kept with a move only: choose another stage."))
        return values

    def edit(self) -> VersionEdit:
        """What was changed of description and tags. The form is valid."""
        is_described = "description" in self.changed_data
        description = "\n".join(self.cleaned_data["description"].splitlines())
        return VersionEdit(
            description=description if is_described else None,
            description_seen=text_mark(self.shown("description")) if is_described else None,
            add_tags=self.added("tags"),
            remove_tags=self.removed("tags"),
        )

    def move(self) -> StageMove | None:
        """To the stage that was chosen, if it is another than the one shown."""
        if "stage" not in self.changed_data:
            return None
        return StageMove(self.cleaned_data["stage"], notes=self.cleaned_data["stage_notes"] or None)

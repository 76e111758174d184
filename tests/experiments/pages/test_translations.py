"""Every text of the pages has its Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

CHECKOUT = Path(__file__).resolve().parents[3]
CATALOGUES = CHECKOUT / "runicorn_site" / "locale" / "zh_Hans" / "LC_MESSAGES"
#: A call whose first argument is a literal; templatize turns templates into such calls.
CALL = re.compile(r"""\b(?:_|gettext|gettext_lazy|gettext_noop|ngettext)\(\s*u?(["'])((?:\\.|(?!\1).)*)\1""")
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd]")


def texts_of_pages() -> set[str]:
    sources = [templatize(path.read_text(encoding="utf-8")) for path in (CHECKOUT / "templates").rglob("*.html")]
    for package in ("artifacts", "experiments", "runicorn_site"):
        sources += [path.read_text(encoding="utf-8") for path in (CHECKOUT / package).rglob("*.py")]
    return _literals(sources)


def texts_of_scripts() -> set[str]:
    scripts = (CHECKOUT / "experiments" / "static").rglob("*.js")
    return _literals([path.read_text(encoding="utf-8") for path in scripts])


def _literals(sources: list[str]) -> set[str]:
    found = {match[2] for source in sources for match in CALL.finditer(source)}
    return {text.replace('\\"', '"').replace("\\'", "'") for text in found if text}


@pytest.mark.parametrize(("name", "texts"), [("django.po", texts_of_pages()), ("djangojs.po", texts_of_scripts())])
def test_the_catalogue_has_every_text_and_no_other(name: str, texts: set[str]):
    catalogue = {entry.msgid for entry in polib.pofile(str(CATALOGUES / name)) if not entry.obsolete}

    assert len(texts) > 20  # the texts were found at all
    assert texts - catalogue == set(), "run makemessages and translate"
    assert catalogue - texts == set(), "no longer used"


@pytest.mark.parametrize("name", ["django.po", "djangojs.po"])
def test_no_text_is_untranslated_or_loses_a_value(name: str):
    for entry in polib.pofile(str(CATALOGUES / name)):
        translated = [entry.msgstr] if not entry.msgid_plural else list(entry.msgstr_plural.values())
        assert all(translated), entry.msgid
        assert not entry.fuzzy, entry.msgid
        for text in translated:
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(entry.msgid)), entry.msgid

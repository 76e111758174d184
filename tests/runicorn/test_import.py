"""What `import runicorn` costs and needs, and which names it offers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import runicorn as rn
from tests.training_scripts import document, log_lines, only_run, records, run_script

HEAVY = ("django", "numpy", "requests", "paramiko", "PIL", "psutil", "platformdirs", "click", "filelock", "asyncio")


def modules_after(code):
    listing = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_it_loads_nothing_heavy():
    assert modules_after("import runicorn").isdisjoint(HEAVY)


def test_a_whole_run_loads_nothing_heavy(tmp_path):
    code = (
        f"import runicorn as rn; rn.init(storage={str(tmp_path)!r}, capture_env=False)\n"
        "rn.set_primary_metric('x'); rn.log(x=1); rn.log_text('a'); rn.summary({'a': 1}); rn.finish()"
    )

    assert modules_after(code).isdisjoint(HEAVY)


def test_every_public_name_is_there_and_listed():
    for name in rn.__all__:
        assert getattr(rn, name) is not None
    assert set(rn.__all__) <= set(dir(rn))
    assert rn.__version__.count(".") == 2


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = rn.no_such_name


def test_the_package_says_that_it_is_typed():
    assert rn.__file__ is not None
    assert Path(rn.__file__).with_name("py.typed").is_file()


def test_without_orjson_the_standard_json_writes_the_same(root):
    code = """
    import sys
    rn.init(project="vision", config={"lr": 0.1}, capture_env=False)
    rn.log(loss=0.5, nan=float("nan"), text="grüße", nested={"a": [1, float("inf")]}, step=7)
    rn.log(loss=0.25)
    rn.summary({"x": 1})
    print("hello")
    print("orjson" in sys.modules and sys.modules["orjson"] is not None)
    """
    blocked = "import sys; sys.modules['orjson'] = None\n"
    for folder, prefix in (("with", ""), ("without", blocked)):
        (root / folder).mkdir(parents=True)
        run_prefixed(prefix, code, root / folder)

    found = {}
    for folder in ("with", "without"):
        run_dir = only_run(root / folder)
        lines = records(run_dir)
        for record in lines:
            del record["time"]
        config, summary = document(run_dir, "config.json"), document(run_dir, "summary.json")
        found[folder] = (lines, log_lines(run_dir)[0], config, summary)
        assert log_lines(run_dir)[1] == str(folder == "with")
    assert found["with"] == found["without"]


def run_prefixed(prefix, code, root):
    """As run_script, with a line before ``import runicorn``."""
    (root / "sitecustomize.py").write_text(prefix)
    run_script(code, root=root, env={"PYTHONPATH": f"{root}{os.pathsep}{Path(__file__).parents[2]}"})


def test_modules_of_the_script_with_our_apps_names_do_no_harm(root):
    for name in ("artifacts", "experiments", "sync"):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("raise ImportError('somebody else')")

    run_script("rn.init(capture_env=False).log(x=1)", root=root, env={"PYTHONPATH": f"{root}{os.pathsep}{checkout()}"})

    assert len(records(only_run(root))) == 1


def checkout():
    return Path(__file__).parents[2]


@pytest.mark.parametrize("value", ["1", "true", "YES"])
def test_switching_modern_storage_off_changes_nothing(root, value):
    run_script("rn.init(capture_env=False).log(x=1)", root=root, env={"RUNICORN_DISABLE_MODERN_STORAGE": value})

    names = sorted(path.name for path in only_run(root).iterdir())
    assert names == ["events.jsonl", "heartbeat.json", "media", "meta.json", "status.json"]

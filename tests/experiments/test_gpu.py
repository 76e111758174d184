from __future__ import annotations

import stat
from pathlib import Path

import pytest

from experiments import gpu

CARDS = """\
0, P2, 71, 30, 24576, 8192, 64, 210.50, 300.00, 300.00, 1800, 9500, 45, Card X
1, P8, [N/A], 0, 8192, 0, 40, 5.10, [N/A], 115.00, 210, 405, [Not Supported], Card Y, Laptop, Rev. 2
"""


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake nvidia-smi in PATH; tests write its script."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(gpu, "_cache", gpu._Cache())
    return tmp_path / gpu.TOOL


def _write(tool: Path, script: str) -> None:
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)


def test_without_the_tool_it_says_so(tool: Path):
    assert gpu.ask_tool(ts=1.0) == {"available": False, "reason": "nvidia-smi not found in PATH"}


def test_every_card_is_told_with_null_for_what_cannot_be_read(tool: Path):
    _write(tool, f"cat <<'END'\n{CARDS}END")

    answer = gpu.ask_tool(ts=1740910500.0)

    assert (answer["available"], answer["ts"]) == (True, 1740910500.0)
    assert answer["gpus"][0] == {
        "index": 0,
        "name": "Card X",
        "util_gpu": 71.0,
        "util_mem": 30.0,
        "mem_total_mib": 24576.0,
        "mem_used_mib": 8192.0,
        "mem_used_pct": 33.3,
        "temp_c": 64.0,
        "power_w": 210.5,
        "power_limit_w": 300.0,
        "clock_sm_mhz": 1800.0,
        "clock_mem_mhz": 9500.0,
        "pstate": "P2",
        "fan_speed_pct": 45.0,
    }
    laptop = answer["gpus"][1]
    assert (laptop["name"], laptop["util_gpu"], laptop["fan_speed_pct"]) == ("Card Y, Laptop, Rev. 2", None, None)
    assert laptop["power_limit_w"] == 115.0, "the limit in force stands in"


@pytest.mark.parametrize(
    ("script", "reason"),
    [("exit 9", "failed with exit code 9"), ("echo nonsense", "gave no usable answer"), ("echo '{'", "gave no usable")],
)
def test_a_failing_tool_is_unavailable_and_no_error(tool: Path, script: str, reason: str):
    _write(tool, script)

    answer = gpu.ask_tool(ts=1.0)

    assert answer["available"] is False
    assert reason in answer["reason"]


def test_a_tool_that_hangs_is_given_up(tool: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gpu, "TIMEOUT_S", 0.2)
    _write(tool, "exec sleep 60")

    assert "did not answer" in gpu.ask_tool(ts=1.0)["reason"]


def test_several_questions_within_a_second_ask_the_tool_once(tool: Path, tmp_path: Path):
    _write(tool, f"echo x >> {tmp_path}/calls\ncat <<'END'\n{CARDS}END")

    answers = [gpu.gpu_telemetry() for _ in range(5)]

    assert (tmp_path / "calls").read_text() == "x\n"
    assert all(answer == answers[0] for answer in answers)

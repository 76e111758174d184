"""What a script prints, in its log."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time

import pytest

import runicorn as rn
from runicorn.console import PENDING_MAX_CHARS, ConsoleCapture, LineAssembler
from tests.training_scripts import document, log_lines, only_run, records, run_script


def assemble(*pieces):
    lines = []
    assembler = LineAssembler(lines.append)
    for piece in pieces:
        assembler.feed(piece)
    assembler.flush()
    return lines


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["a\n", "b\n"], ["a", "b"]),
        (["a", "b", "\n"], ["ab"]),
        (["a\n\nb\n"], ["a", "", "b"]),
        (["no end"], ["no end"]),
        (["  "], []),
        (["\r 0%", "\r 50%", "\r100%", "\n"], ["100%"]),
        (["10%\r", "20%\r", "30%\r", "\n"], ["30%"]),
        (["\r50%", "\r    ", "\r", "done\n"], ["done"]),
        (["\r50%", "\r    ", "\n"], []),
        (["windows\r\n", "lines\r\n"], ["windows", "lines"]),
        (["a\nb\rc\nd"], ["a", "c", "d"]),
        (["grüße ", "中文\n"], ["grüße 中文"]),
        (["\x1b[31mred\x1b[0m\n"], ["\x1b[31mred\x1b[0m"]),
    ],
)
def test_pieces_become_lines_and_progress_bars_their_last_state(pieces, lines):
    assert assemble(*pieces) == lines


def test_a_bar_of_a_million_states_keeps_one_of_them_in_memory():
    assembler = LineAssembler(lambda line: None)
    for number in range(10_000):
        assembler.feed(f"\r{number}" + "=" * 50)

    assert len(assembler._pending) < 100


def test_output_without_any_line_end_becomes_lines_of_limited_length():
    lines = assemble(*["x" * 1000] * 200)

    assert sum(map(len, lines)) == 200_000
    assert max(map(len, lines)) <= PENDING_MAX_CHARS + 1000


def test_prints_of_a_script_are_in_its_log_and_still_on_its_output(root):
    done = run_script(
        """
        import sys, logging
        logging.basicConfig(level="INFO", format="%(message)s")   # holds the stream from before init
        rn.init(project="vision", capture_env=False)
        print("to stdout")
        print("to stderr", file=sys.stderr)
        logging.info("from logging")
        sys.stdout.writelines(["one\\n", "two\\n"])
        rn.log_text("by hand")
        print("no end", end="")
        """,
        root=root,
    )

    assert done.stdout == "to stdout\none\ntwo\nno end"
    assert done.stderr == "to stderr\nfrom logging\n"
    run_dir = only_run(root)
    assert log_lines(run_dir) == ["to stdout", "to stderr", "from logging", "one", "two", "by hand", "no end"]


@pytest.mark.parametrize(("options", "env"), [("console=False", {}), ("", {"RUNICORN_CONSOLE": "off"})])
def test_it_can_be_switched_off(root, options, env):
    run_script(
        f"rn.init(project='vision', capture_env=False, {options})\nprint('hello')\nrn.log_text('by hand')",
        root=root,
        env=env,
    )

    assert log_lines(only_run(root)) == ["by hand"]


def test_log_text_keeps_embedded_newlines_as_lines_without_a_time(run):
    run.log_text("first\nsecond")

    assert log_lines(run.run_dir) == ["first", "…second"]


def test_the_prefix_is_the_local_time_of_day(run):
    before = time.strftime("%H:%M:%S")
    run.log_text("x")
    after = time.strftime("%H:%M:%S")

    assert before <= (run.run_dir / "logs.txt").read_text("utf-8")[:8] <= after


def test_the_log_s_index_leads_to_the_beginnings_of_lines_at_most_once_a_second(run, monkeypatch):
    now = [1000.0]
    run._logs._clock = lambda: now[0]
    for number in range(40):
        run.log_text(f"line {number} äöü")
        now[0] += 0.25

    log = (run.run_dir / "logs.txt").read_bytes()
    entries = [json.loads(line) for line in (run.run_dir / "logs.index.jsonl").read_text().splitlines()]
    assert [entry["ts"] for entry in entries] == [1000.0 + second for second in range(10)]
    for number, entry in enumerate(entries):
        assert log[entry["offset"] :].decode()[11:].startswith(f"line {4 * number} ")


class Stream:
    """A standard stream that the test can read."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@contextlib.contextmanager
def streams():
    """Replaces both standard streams. Not a fixture: pytest puts its own in place between set-up and test."""
    out, err = Stream(), Stream()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield out


def test_the_stream_s_write_is_the_original_again_afterwards():
    with streams():
        capture = ConsoleCapture(lambda line: None, failed=lambda error: None)
        during = "write" in vars(sys.stdout)
        capture.stop()

        assert during
        assert "write" not in vars(sys.stdout)


def test_a_wrapper_that_somebody_set_in_between_stays_and_nothing_is_copied_any_more():
    with streams() as out:
        lines = []
        capture = ConsoleCapture(lines.append, failed=lambda error: None)
        ours = sys.stdout.write
        sys.stdout.write = lambda text: ours(text.upper())
        capture.stop()

        print("hello")

        assert out.text == "HELLO\n"
        assert lines == []


def test_a_wrapper_that_was_there_before_is_put_back():
    with streams():
        original = sys.stdout.write
        wrapper = lambda text: original(f"<{text}>")  # noqa: E731 - needs a name to compare
        sys.stdout.write = wrapper

        ConsoleCapture(lambda line: None, failed=lambda error: None).stop()

        assert sys.stdout.write is wrapper


def test_an_error_of_ours_is_counted_and_the_print_succeeds():
    with streams() as out:
        failures = []

        def emit(line):
            raise ZeroDivisionError("a mistake")

        capture = ConsoleCapture(emit, failed=failures.append)
        print("hello")
        capture.stop()

        assert out.text == "hello\n"
        assert [str(error) for error in failures] == ["a mistake"]


def test_an_error_of_the_stream_is_the_script_s_and_nothing_is_copied(monkeypatch):
    with streams():
        lines = []

        def broken(text):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(Stream, "write", lambda self, text: broken(text))
        capture = ConsoleCapture(lines.append, failed=lambda error: None)

        with pytest.raises(OSError, match="Input/output"):
            sys.stdout.write("hello\n")
        capture.stop()

        assert lines == []


def test_a_warning_about_a_failed_copy_does_not_feed_itself():
    with streams():
        calls = []

        def failed(error):
            calls.append(error)
            print("warning about it", file=sys.stderr)

        def emit(line):
            raise ZeroDivisionError

        capture = ConsoleCapture(emit, failed=failed)
        print("hello")
        print("hello", file=sys.stderr)
        capture.stop()

        assert len(calls) == 2


def test_threads_that_print_lose_no_line():
    with streams():
        lines = []
        capture = ConsoleCapture(lines.append, failed=lambda error: None)

        def work(number):
            for count in range(500):
                sys.stdout.write(f"{number}:{count}\n")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        capture.stop()

        assert sorted(lines) == sorted(f"{number}:{count}" for number in range(4) for count in range(500))


def test_no_streams_at_all_are_no_problem(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)

    ConsoleCapture(lambda line: None, failed=lambda error: None).stop()


def test_the_console_belongs_to_the_active_run():
    with streams():
        first = rn.init(project="a", capture_env=False)
        print("first")
        second = rn.init(project="b", capture_env=False)
        print("second")
        second.finish()
        print("nobody's")
        first.finish()

        assert log_lines(first.run_dir) == ["first"]
        assert log_lines(second.run_dir) == ["second"]


def test_a_script_whose_log_cannot_be_written_goes_on_and_says_so_once(root):
    done = run_script(
        """
        run = rn.init(project="vision", capture_env=False)
        (run.run_dir / "logs.txt").mkdir()
        for i in range(3):
            print("line", i)
            rn.log(x=i)
        """,
        root=root,
        env={"RUNICORN_STRICT": "off"},
    )

    assert done.stdout == "line 0\nline 1\nline 2\n"
    assert done.stderr.count("cannot be written") == 1
    assert "lost" in done.stderr
    assert len(records(only_run(root))) == 3
    assert document(only_run(root), "status.json")["status"] == "finished"

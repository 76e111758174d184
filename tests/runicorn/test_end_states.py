"""How a run ends that nobody finishes: real scripts in processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

import runicorn as rn
from runicorn.errors import InvalidInput
from tests.training_scripts import (
    document,
    log_lines,
    only_run,
    records,
    run_script,
    start_script,
    wait_for_line,
    wait_until,
)

INIT = "rn.init(project='vision', capture_env=False)\n"


def status(root):
    return document(only_run(root), "status.json")["status"]


@pytest.mark.parametrize(
    ("ending", "code", "expected"),
    [
        ("", 0, "finished"),
        ("import sys; sys.exit()", 0, "finished"),
        ("import sys; sys.exit(0)", 0, "finished"),
        ("import sys; sys.exit(3)", 3, "failed"),
        ("import sys; sys.exit('no data')", 1, "failed"),
        ("raise ValueError('diverged')", 1, "failed"),
        ("raise KeyboardInterrupt", None, "interrupted"),
        ("rn.finish('interrupted')", 0, "interrupted"),
    ],
)
def test_the_end_of_a_script_gives_the_status(root, ending, code, expected):
    done = run_script(f"{INIT}rn.log(x=1)\n{ending}", root=root, check=False)

    ended = document(only_run(root), "status.json")
    assert ended["status"] == expected
    assert ended["ended_at"] >= ended["started_at"]
    assert code is None or done.returncode == code


def test_the_traceback_of_the_script_is_still_printed_and_is_in_the_log(root):
    done = run_script(f"{INIT}raise ValueError('diverged')", root=root, check=False)

    assert "ValueError: diverged" in done.stderr
    assert any("ValueError: diverged" in line for line in log_lines(only_run(root)))


def test_a_run_that_cannot_be_closed_keeps_no_other_from_it(root):
    done = run_script(
        """
        def broken(status):
            raise ZeroDivisionError("our mistake")
        first = rn.init(project="a", run_id="first", capture_env=False)
        second = rn.init(project="b", run_id="second", capture_env=False)
        first.finish = broken
        """,
        root=root,
    )

    assert document(root / "b" / "default" / "runs" / "second", "status.json")["status"] == "finished"
    assert "Run first could not be closed." in done.stderr
    assert "our mistake" in done.stderr


def test_an_exit_that_the_script_catches_is_none(root):
    run_script(
        f"""
        import sys
        {INIT}
        try:
            sys.exit(2)
        except SystemExit:
            rn.log(x=1)
        """,
        root=root,
    )

    assert status(root) == "finished"


def test_hooks_that_were_set_before_and_after_are_all_called(root):
    done = run_script(
        f"""
        import sys
        sys.excepthook = lambda *arguments: print("before", arguments[0].__name__)
        {INIT}
        ours = sys.excepthook
        def after(*arguments):
            print("after")
            ours(*arguments)
        sys.excepthook = after
        raise ValueError
        """,
        root=root,
        check=False,
    )

    assert done.stdout.splitlines() == ["after", "before ValueError"]
    assert status(root) == "failed"


def test_an_exception_in_a_thread_fails_nothing(root):
    run_script(
        f"""
        import threading
        {INIT}
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        """,
        root=root,
    )

    assert status(root) == "finished"


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
class TestSignals:
    # a signal just before one long sleep begins would be handled after it: Python looks between its own steps
    def interrupt(self, root, number, code="while True: time.sleep(0.05)", before=""):
        script = f"import time\n{before}\n{INIT}rn.log(x=1)\nprint('ready', flush=True)\n{code}"
        process = start_script(script, root=root)
        wait_for_line(process, "ready")
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        return process.returncode, errors

    def test_ctrl_c_interrupts_the_run(self, root):
        code, errors = self.interrupt(root, signal.SIGINT)

        assert status(root) == "interrupted"
        assert code == -signal.SIGINT
        assert "KeyboardInterrupt" in errors

    def test_sigterm_interrupts_the_run_and_the_process_dies_of_it(self, root):
        code, _ = self.interrupt(root, signal.SIGTERM)

        assert status(root) == "interrupted"
        assert code == -signal.SIGTERM

    def test_sigterm_in_the_midst_of_logging_loses_nothing_that_was_printed(self, root):
        loop = "import itertools\nfor i in itertools.count(): rn.log(x=i)"

        code, _ = self.interrupt(root, signal.SIGTERM, loop)

        steps = [record["global_step"] for record in records(only_run(root))]
        assert steps == list(range(1, len(steps) + 1))
        assert (status(root), code) == ("interrupted", -signal.SIGTERM)

    def test_a_handler_of_the_script_s_own_is_left_alone(self, root):
        handler = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"

        code, _ = self.interrupt(root, signal.SIGTERM, before=handler)

        assert code == 7
        assert status(root) == "failed"

    def test_the_default_handlers_are_back_after_finish(self, root):
        done = run_script(
            f"""
            import signal, sys
            before = sys.excepthook, sys.exit, signal.getsignal(signal.SIGTERM)
            {INIT}
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            rn.finish()
            print((sys.excepthook, sys.exit, signal.getsignal(signal.SIGTERM)) == before)
            """,
            root=root,
        )

        assert done.stdout == "True\n"

    def test_init_in_another_thread_works_without_the_handler(self, root):
        run_script(
            """
            import threading
            thread = threading.Thread(target=lambda: rn.init(capture_env=False).log(x=1))
            thread.start()
            thread.join()
            """,
            root=root,
        )

        assert status(root) == "finished"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
class TestForks:
    def test_a_child_logs_into_its_parent_s_run_and_does_not_close_it(self, root):
        done = run_script(
            """
            import os, sys, json, warnings
            warnings.simplefilter("ignore")
            run = rn.init(project="vision", capture_env=False)
            rn.log(who=0)
            pid = os.fork()
            if pid == 0:
                rn.log(who=1)
                print("from the child", flush=True)
                sys.exit(1)
            os.waitpid(pid, 0)
            print(json.load(open(run.run_dir / "status.json"))["status"])
            rn.log(who=0)
            """,
            root=root,
        )

        assert done.stdout.splitlines()[-1] == "running"
        assert [record["who"] for record in records(only_run(root))] == [0, 1, 0]
        assert status(root) == "finished"
        assert "from the child" not in log_lines(only_run(root))

    def test_a_child_that_calls_finish_ends_only_its_own_part(self, root):
        run_script(
            """
            import os, warnings
            warnings.simplefilter("ignore")
            run = rn.init(project="vision", capture_env=False)
            pid = os.fork()
            if pid == 0:
                rn.finish("failed")
                os._exit(0 if rn.get_active_run() is None else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
            assert rn.get_active_run() is run
            """,
            root=root,
        )

        assert status(root) == "finished"

    def test_the_losses_of_a_run_are_reported_by_its_own_process_only(self, root):
        done = run_script(
            """
            import os, sys, warnings
            warnings.simplefilter("ignore")
            rn.init(project="vision", capture_env=False)
            rn.log(model=object())
            pid = os.fork()
            if pid == 0:
                sys.exit()
            os.waitpid(pid, 0)
            """,
            root=root,
            env={"RUNICORN_STRICT": "off"},
        )

        assert done.stderr.count("lost: 1 values") == 1

    def test_workers_of_multiprocessing_log_and_their_end_changes_nothing(self, root):
        run_script(
            """
            import multiprocessing, warnings
            warnings.simplefilter("ignore")
            rn.init(project="vision", capture_env=False)
            def work(number):
                rn.log(worker=number)
            with multiprocessing.get_context("fork").Pool(3) as pool:
                pool.map(work, range(50))
            """,
            root=root,
        )

        assert sorted(record["worker"] for record in records(only_run(root))) == list(range(50))
        assert status(root) == "finished"

    def test_children_that_are_told_to_end_while_they_are_being_forked_end(self, root):
        """As multiprocessing.Pool does with workers that it has just started and no longer needs."""
        done = run_script(
            """
            import os, signal, time, warnings
            warnings.simplefilter("ignore")
            rn.init(project="vision", capture_env=False)
            ends = set()
            for attempt in range(300):
                pid = os.fork()
                if pid == 0:
                    time.sleep(2)
                    os._exit(0)
                os.kill(pid, signal.SIGTERM)
                ends.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            print(ends)
            """,
            root=root,
        )

        assert done.stdout == f"{{-{signal.SIGTERM.value}}}\n"
        assert status(root) == "finished"

    def test_a_child_with_a_run_of_its_own_closes_that_one(self, root):
        run_script(
            """
            import os, warnings
            warnings.simplefilter("ignore")
            rn.init(project="parent", capture_env=False)
            pid = os.fork()
            if pid == 0:
                rn.init(project="child", capture_env=False)
                raise SystemExit
            os.waitpid(pid, 0)
            raise ValueError
            """,
            root=root,
            check=False,
        )

        states = {path.parts[-4]: document(path, "status.json")["status"] for path in root.glob("*/*/runs/2*")}
        assert states == {"parent": "failed", "child": "finished"}


def test_a_run_resumed_in_the_same_process_ends_as_the_later_object_says(root):
    run_script(
        """
        first = rn.init(project="vision", run_id="cell", capture_env=False)
        first.log(x=1)
        second = rn.init(project="vision", run_id="cell", capture_env=False)
        second.log(x=2)
        assert not first._heartbeat._thread.is_alive() or first._heartbeat._stopped.is_set()
        second.finish("failed")
        """,
        root=root,
    )

    assert status(root) == "failed"
    assert [record["global_step"] for record in records(only_run(root))] == [1, 2]


class TestFinish:
    def test_an_unknown_status_is_refused_and_the_run_goes_on(self, run):
        with pytest.raises(InvalidInput, match="done"):
            run.finish("done")

        run.log(x=1)
        assert document(run.run_dir, "status.json")["status"] == "running"

    def test_a_second_call_changes_nothing(self, run):
        run.finish()
        before = (run.run_dir / "status.json").read_bytes()

        run.finish("failed")

        assert (run.run_dir / "status.json").read_bytes() == before

    def test_the_active_run_is_cleared(self, run):
        rn.finish()

        assert rn.get_active_run() is None

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (None, "finished"),
            (ValueError(), "failed"),
            (KeyboardInterrupt(), "interrupted"),
            (SystemExit(0), "finished"),
            (SystemExit(2), "failed"),
        ],
    )
    def test_the_block_of_a_run_gives_the_status(self, error, expected):
        run = rn.init(capture_env=False, console=False)
        expectation = contextlib.nullcontext() if error is None else pytest.raises(type(error))
        with expectation, run:
            if error is not None:
                raise error

        assert document(run.run_dir, "status.json")["status"] == expected

    def test_a_run_finished_inside_its_block_keeps_that_status(self):
        with rn.init(capture_env=False, console=False) as run:
            run.finish("interrupted")

        assert document(run.run_dir, "status.json")["status"] == "interrupted"

    def test_a_record_of_a_thread_that_is_just_logging_still_gets_in(self, run):
        run.log(x=1)
        append = run._append
        run.finish()

        append(b'{"ts":1,"type":"metrics","data":{"global_step":2,"time":1}}\n')
        run._append(b'{"ts":1,"type":"metrics","data":{"global_step":3,"time":1}}\n')

        assert [record["global_step"] for record in records(run.run_dir)] == [1, 2, 3]

    def test_descriptors_are_let_go(self, root):
        before = count_descriptors()
        for number in range(30):
            run = rn.init(project=f"p{number}", capture_env=False, console=False)
            run.log(x=1)
            run.log_text("x")
            run.finish()

        assert count_descriptors() <= before + 1

    def test_the_heartbeat_s_thread_ends(self, run):
        thread = run._heartbeat._thread
        run.finish()

        wait_until(lambda: not thread.is_alive(), timeout_s=5)


def count_descriptors():
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("descriptors can be counted on Linux only")
    return len(os.listdir("/proc/self/fd"))


def test_the_environment_of_a_short_script_is_still_captured(root):
    begun = time.monotonic()
    run_script("rn.init(project='vision').log(x=1)", root=root)

    assert "python_version" in document(only_run(root), "environment.json")
    assert time.monotonic() - begun < 30

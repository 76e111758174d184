"""Entry of a process that the supervisor starts: ``python …/runicorn/cli/child.py COMMAND …``.

Run as a script and not with ``-m``: neither the working directory nor PYTHONPATH decides which ``runicorn`` is loaded;
it is the one this file belongs to. The process ends when its standard input does: then its parent is gone.
"""

import importlib.util
import os
import signal
import sys
import threading
import time
from importlib.machinery import PathFinder

HERE = os.path.dirname(os.path.realpath(__file__))
HOME = os.path.dirname(os.path.dirname(HERE))
#: How long a process may take to end in good order after its parent is gone.
GRACE_S = 1.5


def end_with_parent() -> None:
    """Wait for the end of standard input, then end this process as SIGTERM would; by force when that takes long."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def load_runicorn() -> None:
    """Make ``import runicorn`` mean the package beside this file."""
    if sys.path and os.path.realpath(sys.path[0]) == HERE:
        del sys.path[0]  # the folder of a script comes first, and ours holds a module named `config`
    spec = PathFinder.find_spec("runicorn", [HOME])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["runicorn"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, name="end-with-parent", daemon=True).start()
    # Ctrl-C reaches a whole process group; the supervisor alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    load_runicorn()
    from runicorn.cli import main

    main()

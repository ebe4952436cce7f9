"""Apache Kafka itself, from the jars on Maven Central: one KRaft node, no Docker."""

import asyncio
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from restock_common.kafka import delete_topics
from restock_common.settings import KafkaSettings
from restock_local.platform.base import answering, greet_broker
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

KAFKA_VERSION = "4.1.0"
_OLDEST_JAVA = 17
_DOWNLOAD_S, _START_S, _STOP_S = 600.0, 90.0, 30.0
_CLUSTER_ID = "cmVzdG9jay1sb2NhbC0wMQ"
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>restock</groupId><artifactId>broker</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


class ApacheBroker:
    """One broker that is its own controller; its log stays in the run's folder over a restart."""

    description = f"Apache Kafka {KAFKA_VERSION} (Maven Central)"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "broker.log"
        self._properties = folder / "broker.properties"
        self._port = free_port()
        self._controller_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def kafka(self) -> KafkaSettings:
        """How to reach it."""
        return KafkaSettings(
            kafka_bootstrap=f"127.0.0.1:{self._port}",
            kafka_idempotent=True,
            kafka_session_timeout_ms=4000,
        )

    async def start(self) -> None:
        """Fetch the jars where they are not there, start the broker and wait until it answers."""
        jars = await _jars(self._folder)
        java = ["java", "-Xms256m", "-Xmx512m", "-cp", f"{jars}/*"]
        logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        if not self._properties.exists():
            self._properties.write_text(self._configuration())
            await _run(
                "formatting the broker's storage",
                [
                    *(*java, logging, "kafka.tools.StorageTool", "format"),
                    *("-t", _CLUSTER_ID, "-c", str(self._properties)),
                ],
                log=self._log,
                timeout_s=_START_S,
            )
        self._process = process = spawn(
            [*java, logging, "kafka.Kafka", self._properties], log=self._log
        )

        def check() -> None:
            if exit_status(process) is not None:
                raise ProcessFailed(f"the broker ended at start:\n{last_lines(self._log)}")

        await answering(
            "the broker", lambda: greet_broker(self.kafka), timeout_s=_START_S, check=check
        )

    async def stop(self) -> None:
        """Stop it; `start` finds its log again."""
        if self._process is not None:
            await end(self._process, grace_s=_STOP_S)
            self._process = None

    async def kill(self) -> None:
        """SIGKILL it; `restart` finds its log again."""
        if self._process is not None:
            kill(self._process)

    async def restart(self) -> None:
        """Stop it in order, where it runs, and start it on the same port and log."""
        await self.stop()
        await self.start()

    async def wipe(self) -> None:
        """Delete every topic; changelogs too."""
        await answering("topic deletion", lambda: delete_topics(self.kafka), timeout_s=60)

    def _configuration(self) -> str:
        controller = f"127.0.0.1:{self._controller_port}"
        listeners = f"PLAINTEXT://127.0.0.1:{self._port},CONTROLLER://{controller}"
        settings = node_settings(
            listeners=listeners,
            advertised=listeners,
            controller=controller,
            log_folder=str(self._folder / "broker"),
        )
        return "".join(f"{name}={value}\n" for name, value in settings.items())


def node_settings(
    *, listeners: str, advertised: str, controller: str, log_folder: str
) -> dict[str, str]:
    """Return the broker settings of a node that is broker and controller at once."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "listeners": listeners,
        "advertised.listeners": advertised,
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": log_folder,
        "auto.create.topics.enable": "false",  # every topic is declared, or it is a mistake
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        # A killed broker may register again only after its session, 9 s by default.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",  # a killed member is missed soon
    }


def can_run_apache() -> bool:
    """Return whether Java 17 or newer and Maven are on the PATH."""
    if shutil.which("java") is None or shutil.which("mvn") is None:
        return False
    answer = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', answer.stderr)
    return found is not None and int(found.group(1)) >= _OLDEST_JAVA


async def _jars(folder: Path) -> Path:
    """Return the folder of the jars; fetched once a machine, into the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "restock"
    jars = cache / f"kafka-{KAFKA_VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"kafka-{KAFKA_VERSION}.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)  # another run may be fetching
        if not jars.exists():
            with tempfile.TemporaryDirectory(dir=cache) as fetched:
                await _fetch(folder, Path(fetched) / "jars")
                (Path(fetched) / "jars").rename(jars)
    return jars


async def _fetch(folder: Path, jars: Path) -> None:
    project = folder / "kafka-pom.xml"
    project.write_text(_POM)
    await _run(
        f"fetching Apache Kafka {KAFKA_VERSION} from Maven Central",
        [
            *("mvn", "-q", "-B", "-f", str(project), "dependency:copy-dependencies"),
            *(f"-DoutputDirectory={jars}", "-DincludeScope=runtime"),
        ],
        log=folder / "maven.log",
        timeout_s=_DOWNLOAD_S,
    )


async def _run(what: str, arguments: list[str], *, log: Path, timeout_s: float) -> None:
    """Run a command to its end. Raises ProcessFailed, with its last lines, where it fails."""
    process = spawn(arguments, log=log)
    try:
        code = await finished(process, timeout_s=timeout_s)
    finally:
        await end(process, grace_s=0)
    if code != 0:
        outcome = f"did not end within {timeout_s:g} s" if code is None else f"failed with {code}"
        raise ProcessFailed(f"{what} {outcome}:\n{last_lines(log)}")

"""Which platform: the one asked for, or the nearest to production that this machine can run."""

import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from restock_local.platform.apache import ApacheBroker, can_run_apache
from restock_local.platform.base import Platform
from restock_local.platform.embedded import EmbeddedBroker, EmbeddedPostgres

PLATFORMS = ("embedded", "apache", "docker")
AUTO = "auto"


def choose(name: str, folder: Path) -> Platform:
    """Return the platform of a name, not started; `auto` takes what the machine can run.

    Args:
        name: auto, docker, apache or embedded. `auto` is docker where an engine answers, else
            apache where Java 17 and Maven are there, else embedded.
        folder: Where it keeps its state; removed by whoever made it.

    Raises:
        ValueError: The name is none of these.
    """
    match resolve(name):
        case "docker":
            from restock_local.platform.docker import DockerBroker, DockerPostgres

            return Platform(DockerBroker(), DockerPostgres())
        case "apache":
            return Platform(ApacheBroker(folder), EmbeddedPostgres(folder))
        case "embedded":
            return Platform(EmbeddedBroker(folder), EmbeddedPostgres(folder))
        case other:
            raise ValueError(f"{other!r} is not a platform; known: {', '.join((AUTO, *PLATFORMS))}")


@cache
def resolve(name: str) -> str:
    """Return the name of a platform; of `auto`, what it stands for on this machine."""
    if name != AUTO:
        return name
    if _can_run_docker():
        return "docker"
    return "apache" if can_run_apache() else "embedded"


def _can_run_docker() -> bool:
    """Return whether a Docker engine answers, and Testcontainers is installed to use it."""
    if shutil.which("docker") is None or find_spec("testcontainers") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0

"""The Helm chart, rendered: helm on the PATH, or where `deploy/helm/get_helm.py` has put it."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import yaml
from tests.tidy.repository import ROOT

CHART = ROOT / "deploy" / "helm" / "restock"
EXAMPLES = sorted(path.stem for path in (CHART / "examples").glob("*.yaml"))

Manifest = dict[str, Any]


class Refused(Exception):
    """Helm did not render it."""


@dataclass(frozen=True)
class Rendered:
    """What helm makes of some values."""

    manifests: tuple[Manifest, ...]

    def of(self, kind: str) -> dict[str, Manifest]:
        return {one["metadata"]["name"]: one for one in self.manifests if one["kind"] == kind}

    def pods(self) -> dict[str, Manifest]:
        """Return the spec of every pod that there can be."""
        found = {}
        for one in self.manifests:
            spec = one.get("spec", {})
            if one["kind"] == "Pod":
                found[one["metadata"]["name"]] = spec
            elif "template" in spec:
                found[one["metadata"]["name"]] = spec["template"]["spec"]
        return found


def helm() -> str:
    fetched = ROOT / ".restock" / "helm" / "helm"
    found = shutil.which("helm") or (str(fetched) if fetched.exists() else None)
    if found is None:
        pytest.skip("helm is not on the PATH: deploy/helm/get_helm.py fetches it")
    return found


def run(*arguments: str) -> str:
    done = subprocess.run([helm(), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


@cache
def _rendered(example: str, values: tuple[str, ...]) -> Rendered:
    settings = [part for value in values for part in ("--set", value)]
    text = run("template", "r", str(CHART), "-f", str(path_of(example)), *settings)
    documents = yaml.load_all(text, yaml.CSafeLoader)  # ten times as fast as Python's own
    return Rendered(tuple(one for one in documents if one is not None))


def rendered(example: str, values: Sequence[str] = ()) -> Rendered:
    """Return what an example values file gives, with some values set in its place."""
    return _rendered(example, tuple(values))


def path_of(example: str) -> str:
    return str(CHART / "examples" / f"{example}.yaml")

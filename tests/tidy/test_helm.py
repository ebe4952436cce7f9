"""The Helm chart: rendered with many values, and checked against what an API server would say."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from ruamel.yaml import YAML
from tests.tidy.chart import CHART, EXAMPLES, Refused, Rendered, path_of, rendered, run
from tests.tidy.repository import ROOT, SERVICES
from tests.tidy.settings_of import variables_of
from tests.tidy.test_compose import LOCAL

from restock_common.contracts.topics import KEYED_PARTITIONS, SHARDS, TOPICS

CRDS = Path(__file__).parent / "crds"
KUBERNETES = ("1.29", kubernetes_validate.latest_version())
OF_STRIMZI = {"Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser"}
"""No schema of theirs is here."""

KEDA = [f"services.{name}.autoscaling.kind=keda" for name in SERVICES]
HPA = [f"services.{name}.autoscaling.kind=hpa" for name in SERVICES]
COMBINATIONS: list[tuple[str, list[str]]] = [
    *((name, []) for name in EXAMPLES),
    ("small-production", KEDA),
    ("small-production", HPA),
    ("one-node", KEDA),
    ("small-production", ["kafka.securityProtocol=PLAINTEXT", "kafka.caSecret="]),
    ("small-production", ["kafka.securityProtocol=SSL", *KEDA]),
    ("small-production", ["kafka.saslMechanism=SCRAM-SHA-256", "kafka.caSecret=", *KEDA]),
    ("small-production", ["postgres.sslMode=require", "postgres.caSecret="]),
    ("small-production", ["services.forecaster.persistence.enabled=false"]),
    ("small-production", ["services.dispatcher.enabled=false", "migrations.enabled=false"]),
    ("small-production", ["networkPolicy.enabled=false", "podDisruptionBudget.enabled=false"]),
    ("large", ["image.pullSecrets[0]=pull", "defaults.nodeSelector.disk=fast"]),
    ("one-node", ["cloudnativepg.instances=3", "strimzi.storage.storageClass=fast"]),
]

every_combination = pytest.mark.parametrize(("example", "values"), COMBINATIONS)


def services_of(chart: Rendered) -> dict[str, dict[str, Any]]:
    """Return each service's one container, by the service's name."""
    workloads = {**chart.of("Deployment"), **chart.of("StatefulSet")}
    return {
        name.removeprefix("r-"): one["spec"]["template"]["spec"]["containers"][0]
        for name, one in workloads.items()
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_linter_has_nothing_to_say(example: str) -> None:
    run("lint", "--strict", str(CHART), "-f", path_of(example))


@cache
def check(manifest: str) -> None:
    """Hold a manifest against the schemas of its kind; each only once, since most are alike."""
    one = json.loads(manifest)
    if one["kind"] in OF_STRIMZI:
        return
    of_operator = CRDS / f"{one['kind']}.json"
    if of_operator.exists():
        jsonschema.validate(one, json.loads(of_operator.read_text()))
        return
    for version in KUBERNETES:
        kubernetes_validate.validate(one, version, strict=True)


@every_combination
def test_an_api_server_would_take_it(example: str, values: list[str]) -> None:
    for one in rendered(example, values).manifests:
        check(json.dumps(one, sort_keys=True))


@every_combination
def test_names_are_given_once(example: str, values: list[str]) -> None:
    found = [(one["kind"], one["metadata"]["name"]) for one in rendered(example, values).manifests]
    assert len(found) == len(set(found))


@every_combination
def test_every_pod_meets_the_restricted_profile(example: str, values: list[str]) -> None:
    """Source: Kubernetes, Pod Security Standards, profile Restricted; and what we ask beyond it."""
    pods = rendered(example, values).pods()
    assert pods
    for name, pod in pods.items():
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        kinds = {kind for volume in pod.get("volumes", []) for kind in set(volume) - {"name"}}
        assert kinds <= {"emptyDir", "secret", "configMap", "persistentVolumeClaim"}, name
        for container in pod["containers"] + pod.get("initContainers", []):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert {"requests", "limits"} <= set(container["resources"]), name
            assert "hostPort" not in json.dumps(container)


@every_combination
def test_a_service_is_given_what_it_reads_and_nothing_else(example: str, values: list[str]) -> None:
    for name, container in services_of(rendered(example, values)).items():
        service = container["image"].rpartition("/")[2].partition(":")[0]
        given = {one["name"] for one in container["env"]}
        known = variables_of(service)
        assert {one for one in given if one.startswith("RESTOCK_")} <= set(known), name
        assert not {"RESTOCK_DEAD_LETTER_KEYS", *LOCAL} & given, "secrets come from Secrets"
        required = {one for one, variable in known.items() if variable.required}
        assert len(container["envFrom"]) >= (2 if required else 1), name


@every_combination
def test_replicas_never_exceed_partitions(example: str, values: list[str]) -> None:
    chart = rendered(example, values)
    limit = min(SHARDS, KEYED_PARTITIONS)
    workloads = {**chart.of("Deployment"), **chart.of("StatefulSet")}
    for name, one in workloads.items():
        if "reader" not in name:
            assert one["spec"].get("replicas", 0) <= limit, name
    for name, one in chart.of("ScaledObject").items():
        assert one["spec"]["maxReplicaCount"] <= limit, name


@every_combination
def test_one_thing_scales_a_service(example: str, values: list[str]) -> None:
    chart = rendered(example, values)
    by_lag, by_load = set(chart.of("ScaledObject")), set(chart.of("HorizontalPodAutoscaler"))
    assert not by_lag & by_load
    for name, one in {**chart.of("Deployment"), **chart.of("StatefulSet")}.items():
        assert ("replicas" in one["spec"]) == (name not in by_lag | by_load), name


def test_every_service_is_run_watched_and_kept_apart() -> None:
    chart = rendered("small-production")
    wanted = {f"r-{service}" for service in SERVICES}
    assert set(chart.of("Deployment")) | set(chart.of("StatefulSet")) == wanted
    for kind in ("Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy"):
        assert set(chart.of(kind)) == wanted, kind
    for container in services_of(chart).values():
        assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
        assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    for pod in chart.pods().values():
        assert pod.get("terminationGracePeriodSeconds", 45) > 30
    assert len(chart.of("ServiceMonitor")) == 1
    rules = {path.stem for path in (ROOT / "deploy/observability/rules").glob("*.y*ml")}
    rules = {stem for stem in rules if not stem.endswith(".test")}
    assert set(chart.of("PrometheusRule")) == {f"r-{stem}" for stem in rules}
    dashboards = {path.stem for path in (ROOT / "deploy/observability/dashboards").glob("*.json")}
    assert len(chart.of("ConfigMap")) == len(dashboards)


def test_a_service_is_scraped_under_the_name_that_alerts_go_by() -> None:
    chart = rendered("large")
    (monitor,) = chart.of("ServiceMonitor").values()
    (endpoint,) = monitor["spec"]["endpoints"]
    (relabelling,) = endpoint["relabelings"]
    assert relabelling["targetLabel"] == "service"
    found = {
        one["metadata"]["labels"]["app.kubernetes.io/component"]
        for one in chart.of("Service").values()
    }
    assert found == set(SERVICES)


def test_only_what_needs_the_database_or_the_internet_may_speak_to_it() -> None:
    for name, policy in rendered("small-production").of("NetworkPolicy").items():
        ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
        assert {53, 9092, 4318} <= ports
        assert (5432 in ports) == (name != "r-forecaster")
        assert (443 in ports) == (name in {"r-order-ingest", "r-stock-ledger"})


def test_secrets_are_only_named() -> None:
    for example in EXAMPLES:
        for name, secret in rendered(example).of("Secret").items():
            assert name == "r-keda-kafka"
            assert set(secret["stringData"]) == {"sasl", "tls", "username"}


def test_migrations_run_before_services_where_what_they_need_is_there() -> None:
    hooks = {}
    for example in EXAMPLES:
        (job,) = rendered(example).of("Job").values()
        hooks[example] = job["metadata"]["annotations"]["helm.sh/hook"]
        commands = [tuple(one["command"]) for one in job["spec"]["template"]["spec"]["containers"]]
        start = ("python", "-m", "restock_common")
        with_tables = {name for name in SERVICES if name != "forecaster"}
        assert set(commands) == {start, *((*start, "migrate", name) for name in with_tables)}
    assert hooks.pop("one-node") == "post-install,pre-upgrade"
    assert set(hooks.values()) == {"pre-install,pre-upgrade"}


def test_strimzis_topics_are_those_of_the_code() -> None:
    """RESTOCK_UPDATE_DOCS=1 .venv/bin/pytest tests/tidy/test_helm_topics.py writes them."""
    found = rendered("one-node").of("KafkaTopic")
    assert set(found) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        spec = found[topic.name]["spec"]
        assert spec["partitions"] == topic.partitions
        assert spec["config"] == topic.config(min_insync_replicas=1)


def test_strimzis_user_is_who_the_services_say_they_are() -> None:
    chart = rendered("one-node")
    (user,) = chart.of("KafkaUser")
    for container in services_of(chart).values():
        given = {one["name"]: one for one in container["env"]}
        assert given["RESTOCK_KAFKA_SASL_USERNAME"]["value"] == user
        secret = given["RESTOCK_KAFKA_SASL_PASSWORD"]["valueFrom"]["secretKeyRef"]
        assert secret == {"name": user, "key": "password"}
        assert given["RESTOCK_KAFKA_SECURITY_PROTOCOL"]["value"] == "SASL_SSL"


def test_each_service_has_a_cluster_of_its_own() -> None:
    chart = rendered("one-node")
    clusters = chart.of("Cluster")
    for name, container in services_of(chart).items():
        given = {one["name"]: one for one in container["env"]}
        if name == "forecaster":
            assert "RESTOCK_DATABASE_URL" not in given
        else:
            secret = given["RESTOCK_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
            assert secret == {"name": f"r-{name}-db-app", "key": "uri"}
            assert f"r-{name}-db" in clusters


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("services.forecaster.replicas=5", "maximum: got 5, want 4"),
        ("services.replenisher.autoscaling.maxReplicas=9", "maximum: got 9, want 4"),
        ("services.replenisher.autoscaling.kind=both", "must be one of 'none', 'keda', 'hpa'"),
        ("kafka.bootstrapp=x", "'bootstrapp' not allowed"),
        ("kafka.bootstrap=nowhere", "does not match pattern"),
        ("kafka.minInsyncReplicas=4", "kafka.minInsyncReplicas is above"),
        ("kafka.existingSecret=", "kafka.existingSecret: SASL needs a Secret"),
        ("postgres.caSecret=", "postgres.caSecret: verify-ca and verify-full need"),
        ("existingSecret=", "name a Secret that holds RESTOCK_DEAD_LETTER_KEYS"),
        ("services.order-ingest.existingSecret=", "RESTOCK_API_KEYS"),
        ("services.dispatcher.database.existingSecret=", "services.dispatcher.database"),
        ("services.order-ingest.env.OTHER=1", "does not match pattern"),
        ("strimzi.enabled=true", "kafka.bootstrap and strimzi.enabled: choose one"),
        ("defaults.terminationGracePeriodSeconds=5", "minimum: got 5, want 30"),
        ("logLevel=loud", "must be one of"),
    ],
)
def test_a_wrong_value_is_refused_and_named(value: str, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        rendered("small-production", [value])


def test_every_value_is_described_by_the_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    values = YAML(typ="safe").load(CHART / "values.yaml")
    jsonschema.validate(values, schema)
    partitions = min(SHARDS, KEYED_PARTITIONS)
    for name in SERVICES:
        scaled = schema["properties"]["services"]["properties"][name]["properties"]
        assert scaled["replicas"]["maximum"] == partitions
        assert scaled["autoscaling"]["properties"]["maxReplicas"]["maximum"] == partitions
        assert set(values["services"][name]["topics"]) <= {topic.name for topic in TOPICS}

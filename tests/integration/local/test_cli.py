import pytest
from typer.testing import CliRunner, Result

from restock_common.contracts.topics import TOPICS
from restock_local.cli import app


def restock(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_topics_shows_every_topic() -> None:
    result = restock("topics")
    assert result.exit_code == 0
    assert [topic.name for topic in TOPICS if topic.name not in result.stdout] == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("bench", "nope"), "'nope' is no benchmark; known:"),
        (("bench", "../../etc/passwd"), "is no benchmark"),
        (("demo", "--days", "0"), "'--days'"),
        (("demo", "--days", "many"), "valid integer"),
        (("fly",), "No such command 'fly'"),
    ],
)
def test_a_bad_argument_is_refused_and_named(arguments: tuple[str, ...], complaint: str) -> None:
    result = restock(*arguments)
    assert result.exit_code == 2
    assert complaint in result.output


@pytest.mark.parametrize("command", ["up", "demo"])
def test_an_unknown_platform_is_named(command: str) -> None:
    result = restock(command, "--platform", "moon")
    assert result.exit_code == 1
    assert "'moon' is not a platform; known: auto, embedded, apache, docker" in result.output

"""Who is believed to have ended, by those who hear nothing."""

from order_ingest.domain.silence import Silence


def looked(silence: Silence[str], *moments: tuple[float, str]) -> list[list[str]]:
    return [silence.look([beat], now) for now, beat in moments]


def test_a_beat_that_stays_the_same_for_long_enough() -> None:
    moments = [(float(now), "a") for now in range(11)]
    assert looked(Silence(10), *moments) == [[]] * 10 + [["a"]]


def test_whoever_speaks_again_lives() -> None:
    moments = [(float(now), "a" if now < 9 else "b") for now in range(15)]
    assert looked(Silence(10), *moments) == [[]] * 15


def test_while_nobody_could_speak_no_time_passes() -> None:
    """PostgreSQL was away, or whoever looks: the others had nowhere to speak, or nobody heard."""
    moments = [*((float(now), "a") for now in range(9)), (60.0, "a"), (61.0, "a")]
    assert looked(Silence(10), *moments) == [[]] * 11

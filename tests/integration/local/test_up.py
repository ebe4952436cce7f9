import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from tests.support import run_folder_of

from restock_common.contracts.topics import SHARDS

pytestmark = pytest.mark.e2e


def read_until(up: "subprocess.Popen[str]", line: str) -> str:
    assert up.stdout is not None
    shown = ""
    while line not in shown:
        more = up.stdout.readline()
        assert more, f"it ended: {shown}"
        shown += more
    return shown


def curl(shown: str) -> tuple[str, dict[str, str], str]:
    found = re.search(r"^curl .*?'$\n", shown.replace("\\\n", ""), re.MULTILINE)
    assert found, shown
    words = shlex.split(found.group())
    headers = [words[n + 1].split(": ") for n, word in enumerate(words) if word == "-H"]
    return words[2], {pair[0]: pair[1] for pair in headers}, words[words.index("-d") + 1]


def ledger_command(shown: str) -> list[str]:
    found = re.search(r"^restock (ledger verify .*)$", shown, re.MULTILINE)
    assert found, shown
    return shlex.split(found.group(1))


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_up_takes_the_order_that_it_shows_and_leaves_nothing_after_ctrl_c() -> None:
    command = Path(sys.executable).parent / "restock"
    up = subprocess.Popen(
        [command, "up"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        shown = read_until(up, "Ctrl-C stops everything.")
        url, headers, body = curl(shown)
        answer = httpx.post(url, headers=headers, content=body, timeout=60)
        proof = subprocess.run([command, *ledger_command(shown)], capture_output=True, check=False)
        started = psutil.Process(up.pid).children(recursive=True)
        folder = run_folder_of(psutil.Process(up.pid))
        up.send_signal(signal.SIGINT)
        assert up.wait(timeout=120) == 0
    finally:
        up.kill()
    assert answer.status_code == 202, answer.text
    assert (proof.returncode, proof.stdout.count(b": sound: ")) == (0, SHARDS), proof
    assert len(started) > 7
    assert [one for one in started if runs(one)] == []
    assert not folder.exists()

"""Where requests may go that somebody else has asked for."""

import pytest

from restock_common.addresses import check_url, is_public
from restock_common.errors import Permanent


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "ftp://shop.example",
        "https://",
        "/hook",
        "https://user:word@shop.example",
        "https://shop.example/#part",
        "https://shop.example:port",
        "https://[::1",
        "https://shop.example/a\nb",
        "https://127.0.0.1/hook",
        "https://10.0.0.1",
        "https://169.254.169.254/latest",
        "https://[::1]:8443",
        "https://[fd00::1]",
    ],
)
def test_a_url_that_leads_elsewhere_than_to_the_internet_is_refused(url: str) -> None:
    with pytest.raises(Permanent) as refused:
        check_url(url, allow_private=False)
    assert refused.value.field == "url"


def test_private_addresses_are_for_those_who_allow_them() -> None:
    assert check_url("http://127.0.0.1:9/hook", allow_private=True)
    assert check_url("https://shop.example/hook?x=1", allow_private=False)
    assert check_url("https://93.184.215.14/hook", allow_private=False)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:4700::6810:85e5", True),
        ("64:ff9b::5db8:d70e", True),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("192.168.1.1", False),
        ("172.16.5.4", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("fe80::1%eth0", False),
        ("ff02::1", False),
    ],
)
def test_what_a_public_address_is(address: str, *, public: bool) -> None:
    assert is_public(address) is public

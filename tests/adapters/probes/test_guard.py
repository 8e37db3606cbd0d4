"""The address guard: what each reach lets through, however an address is written."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.reach import embedded, guard, is_global_unicast
from nightowl.core.values import Network, Policy

INTERNET = Policy()
EVERYTHING = (Network("0.0.0.0/0"), Network("::/0"))
METADATA = ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "192.0.0.192"]
ipv4 = st.ip_addresses(v=4)
any_address = st.ip_addresses().map(str)
ports = st.integers(1, 65535)


def written_in_ipv6(address):
    """All the ways in which IPv6 can stand for an IPv4 address."""
    number = int(address)
    return [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x0064FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80)),
        IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
        *([IPv6Address(number)] if number > 1 else []),
    ]


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"])
def test_the_internet_is_global_unicast(address):
    assert guard(INTERNET)(address, 80) == ""


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.16.0.1", "192.0.0.192", "192.0.2.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1", "64:ff9b:1::1", "::ffff:127.0.0.1",
        "::127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "not an address",
    ],
)  # fmt: skip
def test_the_internet_has_no_special_addresses(address):
    assert guard(INTERNET)(address, 80) == "address"


@given(ipv4, ports)
def test_an_ipv4_address_is_judged_alike_however_it_is_written(address, port):
    decide = guard(INTERNET)
    for written in written_in_ipv6(address):
        assert embedded(written) == address
        assert decide(str(written), port) == decide(str(address), port)


@given(ipv4)
def test_what_is_global_to_us_is_global_to_the_registry_too(address):
    if is_global_unicast(address):
        assert IPv4Address(address).is_global or str(address).startswith("192.88.99.")


@given(any_address, ports)
def test_private_reach_allows_only_what_is_listed(address, port):
    policy = Policy(reach="private", allow=(Network("10.0.0.0/8", (80, 443)), Network("fd00::/8")))
    listed = embedded(ip_address(address))
    if listed.version == 4:
        fits = listed in ip_network("10.0.0.0/8")
        expected = ("" if port in (80, 443) else "port") if fits else "address"
    else:
        expected = "" if listed in ip_network("fd00::/8") else "address"
    assert guard(policy)(address, port) == expected


@given(any_address, ports)
def test_deny_wins_over_allow(address, port):
    policy = Policy(reach="private", allow=EVERYTHING, deny=EVERYTHING)
    assert guard(policy)(address, port) == "address"


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("reach", ["internet", "private"])
def test_cloud_metadata_is_refused_though_allowed(address, reach):
    assert guard(Policy(reach=reach, allow=EVERYTHING))(address, 80) == "address"


@given(any_address, ports)
def test_any_reach_refuses_nothing(address, port):
    assert guard(Policy(reach="any", deny=EVERYTHING))(address, port) == ""


def test_the_internet_grows_by_what_is_listed():
    decide = guard(Policy(allow=(Network("10.0.0.0/8", (80,)),)))
    assert [decide("10.1.1.1", 80), decide("10.1.1.1", 22), decide("1.1.1.1", 22)] == ["", "port", ""]


def test_a_denied_port_leaves_the_others_open():
    decide = guard(Policy(reach="private", allow=(Network("10.0.0.0/8"),), deny=(Network("10.0.0.5/32", (6379,)),)))
    assert [decide("10.0.0.5", 6379), decide("10.0.0.5", 80)] == ["address", ""]

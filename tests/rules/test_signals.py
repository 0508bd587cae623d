import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.signals import NO_SIGNALS, Signal, read_signals

values = st.lists(st.binary(max_size=4) | st.sampled_from([b"1", b"0", b" 1", b"1, 1"]))


@given(values, values)
def test_a_signal_is_on_if_one_value_is_exactly_1(gpc: list[bytes], dnt: list[bytes]) -> None:
    """R-36 (W3C GPC section 3): at least one value is `1`; every other value is no signal."""
    on = read_signals(gpc, dnt)
    assert (Signal.GPC in on) == any(value == b"1" for value in gpc)
    assert (Signal.DNT in on) == any(value == b"1" for value in dnt)


@pytest.mark.parametrize("value", [b"", b"0", b"true", b"01", b" 1", b"1 ", b"?1", b"1, 1"])
def test_what_is_not_1_is_no_signal(value: bytes) -> None:
    """R-36; the control is the value that is."""
    assert read_signals([value], [value]) is NO_SIGNALS
    assert read_signals([value, b"1"], []) == {Signal.GPC}
    assert read_signals(iter([b"1"]), iter([b"1"])) == {Signal.GPC, Signal.DNT}

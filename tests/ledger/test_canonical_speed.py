"""Which values the quick encoder may write: exactly those that a plain walk over all of them lets by."""

from typing import Any
from unicodedata import is_normalized

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.canonical import DEPTH_LIMIT, INTEGER_LIMIT, _is_plain

_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**54), 2**54)
    | st.sampled_from(
        [INTEGER_LIMIT - 1, INTEGER_LIMIT, 1 - INTEGER_LIMIT, -INTEGER_LIMIT, 1.5, b"x", "\u00e9", "e\u0301"]
    )
    | st.text(st.characters(exclude_categories=()))
)
_names = st.text(max_size=3) | st.sampled_from(["a", "\u00e9"]) | st.integers(0, 3)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=30,
)


def walked(value: object) -> bool:
    """The same judgement, spelt out as a walk with a stack."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        each, level = waiting.pop()
        if isinstance(each, dict | list | tuple):
            if level >= DEPTH_LIMIT:
                return False
            if isinstance(each, dict) and not all(isinstance(name, str) and name.isascii() for name in each):
                return False
            members = each.values() if isinstance(each, dict) else each
            waiting.extend((member, level + 1) for member in members)
        elif isinstance(each, str):
            if not is_normalized("NFC", each):
                return False
        elif isinstance(each, int):
            if not -INTEGER_LIMIT < each < INTEGER_LIMIT:
                return False
        elif each is not None:
            return False
    return True


@settings(max_examples=400)
@given(_values)
def test_the_quick_judgement_lets_by_what_a_plain_walk_lets_by(value: object) -> None:
    assert _is_plain(value) is walked(value)


def test_both_end_at_the_same_depth() -> None:
    for depth in (DEPTH_LIMIT - 1, DEPTH_LIMIT, DEPTH_LIMIT + 1):
        lists: Any = "x"
        objects: Any = "x"
        for _ in range(depth):
            lists, objects = [lists], {"a": objects}
        assert _is_plain(lists) is walked(lists) is (depth <= DEPTH_LIMIT)
        assert _is_plain(objects) is walked(objects) is (depth <= DEPTH_LIMIT)

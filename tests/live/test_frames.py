"""Splitting drawn panels into props and shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.live.frames import Lasting, assemble, encode, pages_in, plain, split

NAMES = st.sampled_from(["className", "style", "title", "data-age-since"])
VALUES = st.one_of(st.text(max_size=5), st.integers(-9, 9), st.none(), st.lists(st.integers(0, 3), max_size=2),
                   st.dictionaries(st.sampled_from(["top", "left"]), st.integers(0, 9), max_size=2))
LEAVES = st.one_of(st.text(max_size=5), st.integers(-99, 99), st.floats(-1e6, 1e6), st.none(), st.booleans())


def _component(children: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda own, inner: {"type": "Div", "namespace": "dash_html_components", "props": {**own, **inner}},
        st.dictionaries(NAMES, VALUES, max_size=3),
        st.one_of(st.just({}), children.map(lambda found: {"children": found})),
    )


TREES = st.recursive(LEAVES, lambda inner: st.one_of(_component(inner), st.lists(inner, max_size=3)), max_leaves=12)


def _identified(tree: Any, every: int, count: list[int]) -> Any:
    """The tree with a fresh id on every ``every``-th component."""
    if isinstance(tree, list):
        return [_identified(item, every, count) for item in tree]
    if not (isinstance(tree, dict) and "props" in tree):
        return tree
    count[0] += 1
    own = {"id": f"n{count[0]}"} if count[0] % every == 0 else {}
    inner = {key: _identified(item, every, count) if key == "children" else item for key, item in tree["props"].items()}
    return {**tree, "props": {**own, **inner}}


def _prefixed(tree: Any) -> Any:
    """The tree with every id as it stands on the page of the instance ``tile``."""
    if isinstance(tree, list):
        return [_prefixed(item) for item in tree]
    if not (isinstance(tree, dict) and "props" in tree):
        return tree
    own = {"id": f"tile--{tree['props']['id']}"} if "id" in tree["props"] else {}
    inner = {"children": _prefixed(tree["props"]["children"])} if "children" in tree["props"] else {}
    return {**tree, "props": {**tree["props"], **own, **inner}}


def _div(**props: Any) -> dict[str, Any]:
    return {"type": "Div", "namespace": "dash_html_components", "props": props}


@given(tree=TREES, every=st.integers(1, 3))
def test_props_put_back_onto_the_shape_give_the_tree(tree: Any, every: int) -> None:
    drawn = split(_identified(tree, every, [0]), "tile")
    assert drawn.tree == assemble(drawn.skeleton, drawn.props) == _prefixed(_identified(tree, every, [0]))
    assert all(name.startswith("tile--n") for name in drawn.props)


@given(tree=TREES, every=st.integers(1, 3))
def test_splitting_changes_nothing_that_it_is_given(tree: Any, every: int) -> None:
    given_to_it = _identified(tree, every, [0])
    before = encode(given_to_it)
    first = split(given_to_it, "tile")
    assert encode(given_to_it) == before
    assert split(given_to_it, "tile") == first


@given(tree=TREES, name=NAMES, value=VALUES, other=VALUES)
def test_a_prop_that_comes_changes_the_shape_and_one_that_changes_does_not(
    tree: Any, name: str, value: Any, other: Any
) -> None:
    without = split(_div(children=[tree, _div(id="x")]), "tile").shape
    one = split(_div(children=[tree, _div(id="x", **{name: value})]), "tile").shape
    two = split(_div(children=[tree, _div(id="x", **{name: other})]), "tile").shape
    assert without != one == two


def test_children_are_a_prop_only_when_text_or_number() -> None:
    drawn = split(_div(id="a", children=[_div(id="b", children=4), _div(id="c", children=["x", "y"])]), "p")
    assert drawn.props == {"p--a": {}, "p--b": {"children": 4}, "p--c": {}}


def test_text_that_becomes_a_list_is_another_shape() -> None:
    assert split(_div(id="a", children="x"), "p").shape != split(_div(id="a", children=["x"]), "p").shape


def test_two_instances_of_a_panel_have_different_ids_and_shapes() -> None:
    tree = _div(id="a", children=1)
    assert split(tree, "p").props.keys() != split(tree, "q").props.keys()


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        split([_div(id="a"), _div(id="a")], "p")


def test_a_number_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(split(_div(id="a", children=float("nan")), "p").props)


def test_components_of_dash_become_the_tree_that_dash_sends() -> None:
    import json

    from dash import html
    from plotly.utils import PlotlyJSONEncoder

    drawn = html.Div([html.B(3, id="n"), ("a", html.I())], className="tile")
    sent = json.loads(json.dumps(drawn, cls=PlotlyJSONEncoder))
    assert plain(drawn) == sent
    assert split(drawn, "p") == split(sent, "p")


def test_pages_are_counted_by_their_marks() -> None:
    marked = [_div(**{"data-page": 0}), _div(**{"data-page": 1}), _div(**{"data-page": 1})]
    assert pages_in(split(_div(children=marked), "p")) == 2
    assert pages_in(split(_div(children=[*marked, _div(id="a", **{"data-page": 2})]), "p")) == 3
    assert pages_in(split("text", "p")) == 1


def test_a_component_that_lasts_is_split_once_and_says_the_same_each_time() -> None:
    plain_one = {"type": "Div", "namespace": "n", "props": {"id": "row", "className": "a", "children": [
        {"type": "B", "namespace": "n", "props": {"id": "value", "children": 7}},
    ]}}
    lasting = Lasting(plain_one)

    def drawn(row: Any, instance: str = "one") -> Any:
        return split({"type": "Div", "namespace": "n", "props": {"children": [row]}}, instance)

    assert drawn(lasting) == drawn(plain_one)
    assert drawn(lasting).skeleton["props"]["children"][0] is drawn(lasting).skeleton["props"]["children"][0]
    assert drawn(lasting, "two") == drawn(plain_one, "two")
    assert encode(drawn(lasting).tree) == encode(drawn(plain_one).tree)
    with pytest.raises(ValueError, match="occurs twice"):
        split([lasting, lasting], "one")

"""Fields made of declared arguments, and what was typed made into JSON."""

from typing import Any

import pytest
from django.http import QueryDict

from warren.jobs import callable_tasks
from warren.jobs.callable_tasks import Argument
from warren.try_it import inputs, refusals
from warren.try_it.conftest import EverythingArguments

ARGUMENTS = callable_tasks.arguments_of(EverythingArguments)


def _argument(type_: str, **bounds: Any) -> Argument:
    return Argument(name="it", type=type_, required=True, help="", bounds=bounds)


def _read(type_: str, text: str) -> Any:
    return inputs.as_json([_argument(type_)], given={"it": text})["it"]


def test_each_argument_has_an_input_of_its_kind() -> None:
    made = inputs.made_of(ARGUMENTS, prefix="a.b", values={"number": "3"}, errors={"number": ["Too small."]})

    assert {each.name: each.kind for each in made} == {
        "number": "number",
        "names": "textarea",
        "colour": "select",
        "moment": "datetime-local",
        "note": "text",
        "loud": "checkbox",
        "extra": "textarea",
    }
    number, names, colour = made[:3]
    assert (number.id, number.label, number.value, number.errors) == ("a-b-number", "Number", "3", ["Too small."])
    assert number.attributes == {"min": 0, "max": 10, "step": "any"}
    assert number.described_by == "a-b-number-error a-b-number-help"
    assert (names.help, names.attributes, names.described_by) == ("One a line.", {}, "a-b-names-help")
    assert (colour.choices, colour.required, made[4].required) == (["red", "blue"], True, False)


@pytest.mark.parametrize(
    ("argument", "kind"),
    [
        (_argument("string"), "textarea"),
        (_argument("string", max_length=2000), "textarea"),
        (_argument("string", max_length=200), "text"),
        (_argument("integer"), "number"),
        (_argument("file"), "file"),
        (_argument("something new"), "textarea"),
    ],
)
def test_a_kind_that_suits_the_length(argument: Argument, kind: str) -> None:
    [made] = inputs.made_of([argument], prefix="p", values={}, errors={})

    assert made.kind == kind


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("number", " 12 ", 12),
        ("number", "-1.5", -1.5),
        ("number", "1e3", 1000.0),
        ("number", "twelve", "twelve"),
        ("integer", "9" * 5000, "9" * 5000),
        ("list", " a \n\nb\n", ["a", "b"]),
        ("list", "[1, 2]", [1, 2]),
        ("list", "[broken", "[broken"),
        ("object", '{"a": 1}', {"a": 1}),
        ("object", "{a}", "{a}"),
        ("any", "[" * 100_000, "[" * 100_000),
        ("string", " as it is ", " as it is "),
    ],
)
def test_what_was_typed_becomes_what_the_api_would_get(type_: str, text: str, value: Any) -> None:
    assert _read(type_, text) == value


def test_what_was_left_empty_is_absent() -> None:
    post = QueryDict("number=&names=a%0Ab&loud=on&unknown=1")

    given = inputs.typed(ARGUMENTS, post=post, files={})

    assert given == {"names": "a\nb", "loud": True}
    assert inputs.typed(ARGUMENTS, post=QueryDict(""), files={}) == {"loud": False}


def test_an_error_is_said_at_its_field_and_a_line_is_named() -> None:
    detail = {
        "names": {1: ["Too long."]},
        "arguments.number": ["Too small."],
        "non_field_errors": ["Odd."],
        "accepts": ["everything"],
    }

    found = refusals.by_field(detail, fields={"names", "number"})

    assert found == {"names": ["Line 2: Too long."], "number": ["Too small."], "": ["Odd."]}

"""Query strings, strictly: a parameter that is unknown, repeated, empty or out of range is an error with its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, get_origin
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from reelbase.serving.problems import Fault, Problem, invalid

Pairs = list[tuple[str, str]]
_MOST_BYTES = 8192
_MOST_PAIRS = 100


class Query(BaseModel):
    """The parameters of an endpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Q = TypeVar("Q", bound=Query)


Words = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text that PostgreSQL can hold."""


class Nothing(Query):
    """No parameters at all."""


def pairs(query: bytes) -> Pairs:
    """Names and values in order."""
    if len(query) > _MOST_BYTES:
        raise Problem(414, "too_long", f"A query is at most {_MOST_BYTES} bytes long.")
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_PAIRS, errors="strict")
    except UnicodeDecodeError as error:
        raise invalid([Fault("The query is not percent-encoded UTF-8.")]) from error
    except ValueError as error:
        raise invalid([Fault(f"There are at most {_MOST_PAIRS} parameters.")]) from error


def parse(model: type[Q], given: Pairs) -> Q:
    """The parameters as values; raises Problem (422) that names each one that is wrong."""
    known = _are_lists(model)
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in given:
        is_list = known.get(name)
        if is_list is None:
            faults.append(Fault(_unknown(known), parameter=name[:100]))
        elif is_list:
            values.setdefault(name, []).append(value)
        elif name in values:
            faults.append(Fault("It is given more than once.", parameter=name))
        else:
            values[name] = value
    if not faults:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            faults = list(faults_of(error))
    raise invalid(faults)


def _unknown(known: Mapping[str, bool]) -> str:
    there = f"There are: {', '.join(known)}." if known else "There are none here."
    return f"There is no parameter of this name. {there}"


@cache
def _are_lists(model: type[Query]) -> dict[str, bool]:
    return {name: _is_list(field) for name, field in model.model_fields.items()}


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def faults_of(error: ValidationError, *, body: bool = False) -> Iterator[Fault]:
    """What pydantic found wrong, by name or by pointer; what was given is not repeated."""
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        detail = f"{one['msg'].removeprefix('Value error, ').rstrip('.')}."
        place = [str(part) for part in one["loc"]]
        if body:
            yield Fault(
                detail, pointer="".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in place)[:200]
            )
        else:
            yield Fault(detail, parameter=place[0] if place else None)


def path_with(path: str, given: Pairs) -> str:
    """The path with the whole query but for the place in the list, which is to be written behind it."""
    kept = [(name, value) for name, value in given if name not in ("cursor", "page")]
    return f"{path}?{urlencode(kept)}{'&' if kept else ''}"


def described(model: type[Query]) -> list[dict[str, Any]]:
    """The parameters as OpenAPI has them."""
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    found = []
    for name, property_ in schema.get("properties", {}).items():
        plain = without_null(property_)
        examples = plain.pop("examples", None)
        plain.pop("title", None)
        one: dict[str, Any] = {"name": name, "in": "query", "required": name in required}
        if "description" in plain:
            one["description"] = plain.pop("description")
        one["schema"] = plain
        if plain.get("type") == "array":
            one |= {"style": "form", "explode": True}
        if examples:
            one["example"] = examples[0]
        found.append(one)
    return found


def without_null(property_: dict[str, Any]) -> dict[str, Any]:
    """A property that is left out where it is optional, and never null."""
    plain = dict(property_)
    options = [one for one in plain.pop("anyOf", []) if one != {"type": "null"}]
    if plain.get("default", ...) is None:
        del plain["default"]
    if len(options) > 1:
        return {"anyOf": options, **plain}
    return {**options[0], **plain} if options else plain

"""One question through GraphQL: read, checked, bounded, answered. Needs the extra ``graphql``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    print_schema,
    subscribe,
    validate,
)
from strawberry.schema.config import StrawberryConfig

from segue.api.graphql.asking import Asking
from segue.api.graphql.bounds import require_bounds
from segue.api.graphql.root import Query, Subscription
from segue.api.graphql.types import SCALARS
from segue.api.problems import fault, problem_document
from segue.domain.errors import Diagnostic, Place, SegueError, refusal
from segue.domain.event import Json
from segue.domain.limits import FINDINGS_MAX, GRAPHQL_TOKENS_MAX

NOT_UNDERSTOOD = "E793"

SCHEMA = strawberry.Schema(
    Query, subscription=Subscription, config=StrawberryConfig(auto_camel_case=False, scalar_map=SCALARS)
)
_GRAPH = SCHEMA._schema

_log = logging.getLogger("segue.api")


@dataclass(frozen=True, slots=True)
class Question:
    """What a client sent."""

    text: str
    operation: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """A question that can be answered."""

    question: Question
    document: DocumentNode
    kind: OperationType


def published() -> str:
    """The schema as it stands in docs/schema.graphql."""
    return print_schema(_GRAPH) + "\n"


def checked(question: Question, introspection: bool) -> Checked:
    """SegueError with all findings: E793 for what is no such question, E794 beyond the bounds, E795."""
    try:
        document = parse(question.text, max_tokens=GRAPHQL_TOKENS_MAX)
    except GraphQLError as error:
        raise SegueError(_finding(error)) from None
    except RecursionError:
        raise refusal(NOT_UNDERSTOOD, "the question is nested too deep to be read", "ask for less") from None
    found = validate(_GRAPH, document, max_errors=FINDINGS_MAX)
    if found:
        raise SegueError(*(_finding(each) for each in found))
    operation = get_operation_ast(document, question.operation)
    if not isinstance(operation, OperationDefinitionNode):
        raise refusal(
            NOT_UNDERSTOOD, "it is not clear which operation is asked for", "name it in operationName"
        )
    require_bounds(document, question.operation, question.variables, introspection)
    return Checked(question, document, operation.operation)


def _finding(error: GraphQLError) -> Diagnostic:
    place = next(iter(error.locations or ()), None)
    where = None if place is None else Place(place.line, place.column)
    return Diagnostic(NOT_UNDERSTOOD, error.message, "docs/schema.graphql holds the schema", where)


def answered(asked: Checked, asking: Asking) -> dict[str, Json]:
    """The answer to a query; blocks."""
    result = execute_sync(
        _GRAPH,
        asked.document,
        context_value=asking,
        variable_values=dict(asked.question.variables),
        operation_name=asked.question.operation,
    )
    return written(result)


async def listened(asked: Checked, asking: Asking) -> AsyncIterator[dict[str, Json]]:
    """The answers of a subscription, one for each change; SegueError when there can be none."""
    found = subscribe(
        _GRAPH,
        asked.document,
        context_value=asking,
        variable_values=dict(asked.question.variables),
        operation_name=asked.question.operation,
    )
    source = await found if asyncio.iscoroutine(found) or asyncio.isfuture(found) else found
    if isinstance(source, ExecutionResult):
        yield written(source)
        return
    try:
        async for each in source:  # type: ignore[union-attr]
            yield written(each)
    finally:
        await source.aclose()  # type: ignore[union-attr]


def written(result: ExecutionResult) -> dict[str, Json]:
    """The answer as it is sent."""
    found: dict[str, Json] = {}
    if result.errors:
        found["errors"] = [error_json(each) for each in result.errors[:FINDINGS_MAX]]
    found["data"] = result.data
    return found


def error_json(error: GraphQLError) -> dict[str, Json]:
    """GraphQL's shape of an error, with the problem document of REST as its extensions."""
    cause = error.original_error
    if isinstance(cause, SegueError):
        refused = cause
    elif cause is None:
        refused = SegueError(_finding(error))
    else:
        _log.error("a resolver failed", exc_info=cause)
        refused = fault()
    found: dict[str, Json] = {"message": refused.diagnostics[0].message}
    if error.locations:
        found["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path:
        found["path"] = error.path
    found["extensions"] = problem_document(refused)
    return found


def refused_json(refused: SegueError) -> dict[str, Json]:
    """The answer to a question that is not answered at all."""
    document = problem_document(refused)
    found = []
    for each in refused.diagnostics[:FINDINGS_MAX]:
        error: dict[str, Json] = {"message": each.message, "extensions": {**document, **each.to_json()}}
        if each.place is not None:
            error["locations"] = [{"line": each.place.line, "column": each.place.column}]
        found.append(error)
    return {"errors": found}

"""Schemathesis over the whole document, for everybody: random requests, edges, and walks along its links."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.overrides import Override
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from kinsynth.server.auth import COOKIE, CSRF
from kinsynth.server.openapi import make_document
from kinsynth.service.people.sessions import begin_session
from kinsynth.service.platform import Platform
from objects import add_objects, share
from people import Person, add_person

IS_SOAK = os.environ.get("KINSYNTH_EXAMPLES") == "soak"
EXAMPLES, EDGES = (50, 50) if IS_SOAK else (2, 2)  # of an operation and mode
WALKS, STEPS = (25, 20) if IS_SOAK else (2, 10)
WALK = settings(
    max_examples=4,  # the first one is the shortest there is
    stateful_step_count=STEPS,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)
ROLES = ("anonymous", "user", "user with a share", "admin")
TESTED = ROLES if IS_SOAK else ("user with a share", "admin")  # who has nothing is in the access matrix, too


class Fuzzed:
    """An application, somebody who sends requests, and ids that exist."""

    def __init__(self, app: FastAPI, platform: Platform, role: str) -> None:
        self._platform = platform
        config = SchemathesisConfig()
        config.projects.default.generation.update(with_security_parameters=False, allow_x00=False)
        self.schema = schemathesis.openapi.from_dict(make_document(app), config=config)
        self.schema.app = app
        self._person: Person | None = None
        owner, target = add_person(platform, "owner"), add_person(platform, "target")
        if role != "anonymous":
            self._person = add_person(platform, "sender", "admin" if role == "admin" else "user")
        mine = self._person if role in {"user", "admin"} else owner
        self.ids = add_objects(platform, (mine or owner).id).ids() | {"user_id": target.id, "number": 1}
        if role == "user with a share" and self._person is not None:
            share(platform, self.ids["synthesis_id"], self._person.id, "edit")

    def make_headers(self) -> dict[str, str]:
        """A fresh session: the request before may have ended all others."""
        if self._person is None:
            return {}
        with self._platform.records.write() as connection:
            session = begin_session(connection, self._platform.deployment, self._person.id, "")
        return {"Cookie": f"{COOKIE}={session.secret}", CSRF: session.csrf}

    def send(self, case: Case, *, with_ids: bool) -> None:
        """Send a request and check the answer in every way Schemathesis knows."""
        if with_ids:
            for name in set(case.path_parameters or ()) & set(self.ids):
                case.path_parameters[name] = self.ids[name]
        headers = self.make_headers()
        self.check(case, case.call(headers=headers), headers)

    def check(self, case: Case, answer: Any, headers: Mapping[str, str]) -> None:
        """Check the answer to a request in every way that applies to it."""
        excluded = [positive_data_acceptance] if _is_refused_by_content(answer) else []
        if answer.status_code in {413, 431}:  # rejections the check does not count as such
            excluded.append(negative_data_rejection)
        case.validate_response(answer, headers=dict(headers), excluded_checks=excluded)


def _is_refused_by_content(answer: Any) -> bool:
    """Whether each field was right and what they say was refused: a common password, fields that disagree."""
    if answer.status_code != 422:
        return False
    found = answer.json()
    rules = [one["message"].startswith("Value error") for one in found["findings"]]
    return found["code"] != "request.invalid" or (bool(rules) and all(rules))


@pytest.mark.slow
@pytest.mark.parametrize("role", TESTED)
def test_no_answer_is_outside_of_the_document(app: FastAPI, platform: Platform, role: str) -> None:
    fuzzed, problems = Fuzzed(app, platform, role), []
    for found in fuzzed.schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                run(fuzzed, operation, mode)
            except Unsatisfiable:  # nothing can be wrong with a request that has no parts
                assert mode is GenerationMode.NEGATIVE
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - all of them are shown together
                problems.append(f"{operation.label} {mode.value}: {error}")
    assert not problems, "\n\n".join(problems)


@pytest.mark.slow
@pytest.mark.parametrize("role", TESTED)
def test_no_answer_at_the_edges_is_outside_of_the_document(
    app: FastAPI, platform: Platform, role: str
) -> None:
    fuzzed, problems, sent = Fuzzed(app, platform, role), [], 0
    for found in fuzzed.schema.get_all_operations():
        operation = found.ok()
        for case in make_edges(fuzzed, operation):
            sent += 1
            try:
                fuzzed.send(case, with_ids=sent % 2 == 0)
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - all of them are shown together
                problems.append(f"{operation.label}: {error}")
    assert sent > fuzzed.schema.statistic.operations.total
    assert not problems, "\n\n".join(problems)


@pytest.mark.slow
@pytest.mark.parametrize("role", TESTED)
def test_no_walk_along_the_links_leaves_the_document(app: FastAPI, platform: Platform, role: str) -> None:
    fuzzed, problems, reached = Fuzzed(app, platform, role), [], set()

    class Walk(fuzzed.schema.as_state_machine()):  # type: ignore[misc]
        """Requests of which each takes what the ones before were answered."""

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"headers": fuzzed.make_headers()}

        def validate_response(self, response: Any, case: Case, **kwargs: Any) -> None:
            reached.add((case.operation.label, response.status_code))
            try:
                fuzzed.check(case, response, kwargs["headers"])
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - all of them are shown together
                problems.append(f"{case.operation.label}: {error}")

    def has_followed() -> bool:
        return role == "anonymous" or any("{" in label and status < 300 for label, status in reached)

    for number in range(10 * WALKS):  # the few of every change may all be turned away
        if number >= WALKS and has_followed():
            break
        with suppress(FlakyStrategyDefinition):  # it meets what walks before it left: the service remembers
            seed(number)(Walk).run(settings=WALK)
    assert not problems, "\n\n".join(problems)
    assert has_followed(), "no link was followed"


def make_edges(fuzzed: Fuzzed, operation: Any) -> Iterator[Case]:
    """Give the first of the requests at the edges of an operation's document: some right, some wrong."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        cases = CoverageGenerator(
            operation=operation,
            generation_modes=[mode],
            generation_config=fuzzed.schema.config.generation_for(operation=operation, phase="coverage"),
            auth_storage=None,
            override=Override(),
            feedback=NO_FEEDBACK,
        )
        yield from islice(cases, EDGES)


def run(fuzzed: Fuzzed, operation: Any, mode: GenerationMode) -> None:
    """Send examples of one operation."""

    @given(case=operation.as_strategy(mode), with_ids=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=not IS_SOAK,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    def examples(case: Case, with_ids: bool) -> None:
        fuzzed.send(case, with_ids=with_ids)

    examples()

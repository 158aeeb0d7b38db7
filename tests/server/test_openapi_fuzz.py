"""Schemathesis over the whole document: what fits it and what does not, for everybody."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from kinsynth.server.auth import COOKIE, CSRF
from kinsynth.server.openapi import make_document
from kinsynth.service.people.sessions import begin_session
from kinsynth.service.platform import Platform
from objects import add_objects, share
from people import Person, add_person

EXAMPLES = 100 if os.environ.get("KINSYNTH_EXAMPLES") == "soak" else 2
ROLES = ("anonymous", "user", "user with a share", "admin")


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
        answer = case.call(headers=headers)
        excluded = [positive_data_acceptance] if _is_refused_by_content(answer) else []
        if answer.status_code in {413, 431}:  # rejections the check does not count as such
            excluded.append(negative_data_rejection)
        case.validate_response(answer, headers=headers, excluded_checks=excluded)


def _is_refused_by_content(answer: Any) -> bool:
    """Whether each field was right and what they say was refused: a common password, fields that disagree."""
    if answer.status_code != 422:
        return False
    found = answer.json()
    rules = [one["message"].startswith("Value error") for one in found["findings"]]
    return found["code"] != "request.invalid" or (bool(rules) and all(rules))


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
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


def run(fuzzed: Fuzzed, operation: Any, mode: GenerationMode) -> None:
    """Send examples of one operation."""

    @given(case=operation.as_strategy(mode), with_ids=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=EXAMPLES < 10,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    def examples(case: Case, with_ids: bool) -> None:
        fuzzed.send(case, with_ids=with_ids)

    examples()

"""Who may do what, over HTTP itself: oneself, tokens, and reviews."""

from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.permissions import GRANTS, ROLES
from controlplane.views import review_view, token_view
from events.access import Role
from tests.http.callers import as_json, client, holding
from tests.journeys.traffic import ENGINEER, FLAG

TOKENS, REVIEWS = "/api/v1/tokens", "/api/v1/reviews"
GRANT = {"owner": "cleo", "roles": ["operator"]}


# -- oneself --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_whoever_has_a_token_is_told_what_it_opens(scraped: ControlPlane, role: Role) -> None:
    told = holding(scraped, role).get("/api/v1/me").json()
    token = scraped.access.tokens()[-1]
    assert told["actor"] == {"kind": "token", "id": "ben", "name": "ben"}
    assert (told["token"], told["roles"], told["flags"]) == (token.id, [role], [])
    assert set(told["permissions"]) == GRANTS[role]
    assert told["environment"] == scraped.environment
    assert told["expires_at"] == token_view(token)["expires_at"]


def test_a_narrowed_token_knows_that_it_is(scraped: ControlPlane) -> None:
    asking = holding(scraped, "operator", scopes=("flags.lower", "flag:batch-*"))
    told = asking.get("/api/v1/me").json()
    assert (told["permissions"], told["flags"]) == (["flags.lower"], ["batch-*"])


def test_open_to_this_machine_there_is_no_token(scraped: ControlPlane) -> None:
    told = client(scraped, dev=True).get("/api/v1/me", headers={"X-Actor": "ana"}).json()
    assert (told["actor"]["id"], told["token"], told["expires_at"]) == ("ana", None, None)
    assert told["roles"] == ["admin"]


def test_a_stranger_is_told_nothing(scraped: ControlPlane) -> None:
    assert client(scraped).get("/api/v1/me").status_code == 401


# -- tokens ---------------------------------------------------------------------------------------


def test_an_admin_gives_tokens_that_open_what_they_say(plane: ControlPlane) -> None:
    admin = holding(plane, "admin")
    answer = admin.post(TOKENS, json=GRANT | {"expires_in": None, "name": "laptop"})
    assert answer.status_code == 201
    told = answer.json()
    text = told.pop("text")
    assert told == as_json(token_view(plane.access.get(told["id"])))
    assert (told["owner"], told["issued_by"], told["expires_at"]) == ("cleo", "ben", None)
    cleo = client(plane, token=text)
    assert cleo.get("/api/v1/me").json()["actor"]["id"] == "cleo"
    assert cleo.post(TOKENS, json=GRANT).status_code == 403


def test_the_text_is_shown_once(plane: ControlPlane) -> None:
    admin, key = holding(plane, "admin"), {"Idempotency-Key": "k"}
    first = admin.post(TOKENS, json=GRANT, headers=key).json()
    again = admin.post(TOKENS, json=GRANT, headers=key)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert first["text"].startswith("rcp_production_")
    assert again.json() == first | {"text": None}
    shown = admin.get(TOKENS).text + admin.get(f"{TOKENS}/{first['id']}").text
    kept = str([event.data for event in plane.events()])
    assert first["text"].split("_")[-2] not in shown + kept


def test_a_revoked_token_opens_nothing_at_once(plane: ControlPlane) -> None:
    admin = holding(plane, "admin")
    given = admin.post(TOKENS, json=GRANT).json()
    cleo = client(plane, token=given["text"])
    assert cleo.get("/api/v1/me").status_code == 200
    for said in ({"reason": "laptop lost"}, {}, None):
        path = f"{TOKENS}/{given['id']}/revoke"
        answer = admin.post(path, json=said) if said is not None else admin.post(path)
        assert (answer.status_code, answer.json()["revoked_by"]) == (200, "ben")
    assert cleo.get("/api/v1/me").status_code == 401
    assert len(plane.events(type="access.token_revoked")) == 1


def test_tokens_come_in_pages_and_one_that_is_revoked_meanwhile_comes_again(
    scraped: ControlPlane,
) -> None:
    ids = [
        scraped.access.issue(owner=f"o{n}", roles="viewer", actor=ENGINEER).token.id
        for n in range(4)
    ]
    asking = client(scraped, dev=True)
    page = asking.get(f"{TOKENS}?limit=3").json()
    assert [item["id"] for item in page["items"]] == ids[:3]
    scraped.access.revoke(ids[0], actor=ENGINEER)
    rest = asking.get(f"{TOKENS}?limit=3&after={page['next']}").json()
    assert [item["id"] for item in rest["items"]] == [ids[3], ids[0]]
    assert rest["next"] is None


@pytest.mark.parametrize(
    "said",
    [
        {"owner": "", "roles": ["admin"]},
        {"owner": " ", "roles": ["admin"]},
        {"owner": "a\0b", "roles": ["admin"]},
        {"owner": "x" * 256, "roles": ["admin"]},
        {"owner": "cleo", "roles": []},
        {"owner": "cleo", "roles": ["god"]},
        {"owner": "cleo", "roles": "admin"},
        GRANT | {"scopes": ["tokens.manage"]},
        GRANT | {"scopes": ["flag:"]},
        GRANT | {"scopes": ["x" * 256]},
        GRANT | {"expires_in": "soon"},
        GRANT | {"expires_in": "99999d"},
        GRANT | {"expires_in": "-1d"},
        GRANT | {"expires_in": 7},
        GRANT | {"text": "mine"},
    ],
)
def test_a_token_that_could_open_nothing_or_too_much_is_refused(
    scraped: ControlPlane, said: dict[str, Any]
) -> None:
    answer = client(scraped, dev=True).post(TOKENS, json=said)
    assert answer.status_code == 422, answer.text
    assert scraped.access.tokens() == []


@pytest.mark.parametrize(
    ("id_", "status"),
    [("nonsense", 404), ("%00", 404), ("%ED%A0%80", 404), ("x" * 10_000, 404)],
)
def test_there_are_no_other_tokens_and_reviews(plane: ControlPlane, id_: str, status: int) -> None:
    asking = client(plane, dev=True)
    for path in (f"{TOKENS}/{id_}", f"{REVIEWS}/{id_}"):
        assert asking.get(path).status_code == status
    assert asking.post(f"{TOKENS}/{id_}/revoke").status_code == status
    assert asking.post(f"{REVIEWS}/{id_}/close", json={"note": "n"}).status_code == status


# -- reviews --------------------------------------------------------------------------------------


@pytest.fixture
def broken(scraped: ControlPlane) -> ControlPlane:
    """A control plane on which Ben and Cleo each broke the glass, of two flags."""
    for flag, who in ((FLAG, "ben"), ("checkout", "cleo")):
        scraped.flags.create(flag, owner="patch-team", actor=ENGINEER)
        scraped.flags.break_glass(flag, 5, actor=who, reason="the old path is down")
    return scraped


def test_a_second_person_closes_a_review(broken: ControlPlane) -> None:
    ben = holding(broken, "approver")
    answer = ben.get(REVIEWS).json()
    assert answer == {"items": [review_view(r) for r in broken.access.reviews()], "next": None}
    own = ben.post(f"{REVIEWS}/review-1/close", json={"note": "all well"})
    assert (own.status_code, own.json()["title"]) == (403, "Same reviewer")
    other = ben.post(f"{REVIEWS}/review-2/close", json={"note": "it was down, INC-7"})
    assert (other.status_code, other.json()["closed_by"]) == (200, "ben")
    assert ben.get(f"{REVIEWS}/review-2").json() == other.json()
    assert [item["id"] for item in ben.get(f"{REVIEWS}?open=true").json()["items"]] == ["review-1"]
    assert [item["id"] for item in ben.get(f"{REVIEWS}?open=false").json()["items"]] == ["review-2"]
    assert {alert.flag for alert in broken.alerts.open()} == {FLAG}
    assert (
        holding(broken, "operator")
        .post(f"{REVIEWS}/review-2/close", json={"note": "n"})
        .status_code
        == 403
    )


@pytest.mark.parametrize("said", [{}, {"note": ""}, {"note": " "}, {"note": "x" * 2001}])
def test_it_is_closed_with_a_note(broken: ControlPlane, said: dict[str, Any]) -> None:
    answer = client(broken, dev=True).post(f"{REVIEWS}/review-1/close", json=said)
    assert answer.status_code == 422
    assert all(review.closed_at is None for review in broken.access.reviews())


def test_a_token_for_some_flags_sees_their_reviews_alone(broken: ControlPlane) -> None:
    asking = holding(broken, "approver", scopes=("flag:batch-*",))
    assert [item["id"] for item in asking.get(REVIEWS).json()["items"]] == ["review-1"]
    assert asking.get(f"{REVIEWS}/review-1").status_code == 200
    assert asking.get(f"{REVIEWS}/review-2").status_code == 404
    assert asking.post(f"{REVIEWS}/review-2/close", json={"note": "n"}).status_code == 403

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from controlplane import webhooks
from controlplane.errors import InvalidInput
from controlplane.outgoing.destinations import read_allowed
from controlplane.webhook_errors import DeadLetterNotFound, WebhookNotFound
from controlplane.webhooks import (
    MOST_WEBHOOKS,
    ChangeWebhook,
    GiveUp,
    NoteRedelivery,
    PauseWebhook,
    RegisterWebhook,
    RemoveWebhook,
    RequestRedelivery,
    ResumeWebhook,
    met,
    names_for,
)
from events.catalog import CATALOG
from events.webhooks import (
    WEBHOOK_STREAM,
    WebhookChanged,
    WebhookDeadLettered,
    WebhookPaused,
    WebhookRedelivered,
    WebhookRedeliveryRequested,
    WebhookRegistered,
    WebhookRemoved,
    WebhookResumed,
    delivery_stream,
)
from projections.webhooks import DEAD_LETTERS, WEBHOOKS
from tests.controlplane.decider import Decider
from tests.projections.recording import told

URL = "https://hooks.example/rollouts"
FACTS: dict[str, Any] = {"url": URL, "types": ("flag.*",), "secret": "deploys", "description": ""}

given = Decider(WEBHOOKS, WEBHOOK_STREAM, lambda one, what, _now: webhooks.decide(one, what)).given
given_letter = Decider(
    DEAD_LETTERS,
    delivery_stream("webhook-1", 7),
    lambda letter, what, _now: webhooks.decide_letter(letter, what),
).given


def registered(number: int = 1, **facts: Any) -> WebhookRegistered:
    return WebhookRegistered(**{"webhook": f"webhook-{number}", "after": None} | FACTS | facts)


def changed(**facts: Any) -> WebhookChanged:
    return WebhookChanged(**{"webhook": "webhook-1"} | FACTS | facts)


def register(**facts: Any) -> RegisterWebhook:
    return RegisterWebhook(**FACTS | {"head": 9} | facts)


paused = WebhookPaused(webhook="webhook-1", reason="INC-7")
resumed = WebhookResumed(webhook="webhook-1", reason="over")
removed = WebhookRemoved(webhook="webhook-1", reason="nobody reads it")


# Registering


def test_it_begins_with_what_comes_next() -> None:
    given().when(register()).then(registered())


def test_it_may_begin_after_any_position_of_the_log() -> None:
    for after in (0, 5, 9):
        given().when(register(after=after)).then(registered(after=after))
    for after in (-1, 10):
        given().when(register(after=after)).then_it_is_refused(InvalidInput, "the log ends at 9")


def test_asked_twice_it_is_one() -> None:
    given().when(register()).then_asking_again_changes_nothing()
    given(registered()).when(register(types=("flag.*", "flag.*"))).then_nothing_happens()
    given(registered()).when(register(types=("alert.*",))).then(registered(2, types=("alert.*",)))
    given(registered(), removed).when(register()).then(registered(2))


def test_there_are_not_too_many() -> None:
    many = [registered(n, url=f"{URL}/{n}") for n in range(1, MOST_WEBHOOKS + 1)]
    given(*many).when(register()).then_it_is_refused(InvalidInput, "remove one first")
    given(*many, removed).when(register()).then(registered(MOST_WEBHOOKS + 1))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "no URL"),
        ("https://me:secret@x.example/", "recorded for ever"),
        ("https://x.example/?token=1", "recorded for ever"),
        ("http://x.example/", "write https"),
        ("https://10.0.0.1/", "10.0.0.1 is private"),
        ("https://169.254.169.254/", "link-local"),
        ("https://[::ffff:127.0.0.1]/", "loopback"),
        ("https://2130706433/", "no address as one writes it"),
        ("https://localhost./", "loopback"),
    ],
)
def test_where_nothing_may_go_is_refused(url: str, told: str) -> None:
    given().when(register(url=url)).then_it_is_refused(InvalidInput, told)
    command = ChangeWebhook(webhook="webhook-1", url=url)
    given(registered()).when(command).then_it_is_refused(InvalidInput, told)


def test_what_is_allowed_here_may_be_registered() -> None:
    state = given().state
    command = register(url="http://127.0.0.1:9/")
    (event,) = webhooks.decide(state, command, read_allowed("127.0.0.1"))
    assert event == registered(url="http://127.0.0.1:9/")


# Which events


@pytest.mark.parametrize("types", [(), ("*",), ("flag.*", "*"), tuple(f"x{n}" for n in range(101))])
def test_everything_is_asked_for_in_so_many_words(types: tuple[str, ...]) -> None:
    given().when(register(types=types)).then_it_is_refused(InvalidInput, "everything")
    given().when(register(types=(), everything=True)).then(registered(types=("*",)))
    both = register(types=("flag.*",), everything=True)
    given().when(both).then_it_is_refused(InvalidInput, "not both")


@pytest.mark.parametrize(
    "pattern", ["flag", "flag.nonsense", "f*", "flags.*", ".*", "*.created", "flag.*.*", "", "%",
                "webhook.*", "execution.*", "webhook.dead*", "FLAG.*", "flag.crea?ed"],
)  # fmt: skip
def test_a_pattern_that_meets_nothing_is_refused(pattern: str) -> None:
    command = register(types=("flag.*", pattern))
    given().when(command).then_it_is_refused(InvalidInput, "no event is called")


def test_a_pattern_is_a_name_or_its_beginning() -> None:
    assert met("flag.created") == {"flag.created"}
    assert met("alert.*") == {"alert.raised", "alert.acknowledged", "alert.resolved"}
    assert met("rollout.proposal_*") == {
        f"rollout.proposal_{done}" for done in ("approved", "rejected", "withdrawn", "lapsed")
    }


def test_executions_and_what_delivering_leads_to_are_asked_for_by_name() -> None:
    by_name = {"execution.batch_executed"} | {n for n in CATALOG if n.startswith("webhook.")}
    assert met("*") == CATALOG.keys() - by_name
    for name in by_name:
        assert met(name) == {name}


@for_all(st.lists(st.sampled_from([*CATALOG, "flag.*", "rollout.*", "alert.*"]), min_size=1))
def test_what_is_sent_is_what_any_pattern_meets_each_once(patterns: list[str]) -> None:
    (event,) = webhooks.decide(given().state, register(types=tuple(patterns)))
    assert isinstance(event, WebhookRegistered)
    (webhook,) = given(event).state.standing
    assert names_for(webhook) == sorted(set().union(*map(met, patterns)))
    assert list(event.types) == sorted(set(patterns))


def test_what_is_said_of_a_webhook_is_not_sent_to_it() -> None:
    own, others, another = told(
        paused, WebhookPaused(webhook="webhook-2", reason="x"), registered(3)
    )
    (webhook,) = given(registered()).state.standing
    assert not webhooks.is_for(webhook, own)
    assert webhooks.is_for(webhook, others)
    assert webhooks.is_for(webhook, another)


# Changing, pausing, removing


def test_what_is_not_given_stays_as_it_was() -> None:
    before = given(registered(description="deploys"))
    one = ChangeWebhook(webhook="webhook-1", url=f"{URL}/2")
    before.when(one).then(changed(url=f"{URL}/2", description="deploys"))
    two = ChangeWebhook(webhook="webhook-1", types=("alert.*",), secret="other", description="")  # noqa: S106  why: a name
    before.when(two).then(changed(types=("alert.*",), secret="other"))  # noqa: S106  why: idem
    three = ChangeWebhook(webhook="webhook-1", everything=True)
    before.when(three).then(changed(types=("*",), description="deploys"))
    before.when(three).then_asking_again_changes_nothing()
    before.when(ChangeWebhook(webhook="webhook-1")).then_nothing_happens()


def test_it_is_paused_and_goes_on() -> None:
    pause = PauseWebhook(webhook="webhook-1", reason="INC-7")
    resume = ResumeWebhook(webhook="webhook-1", reason="over")
    given(registered()).when(pause).then(paused).then_asking_again_changes_nothing()
    given(registered(), paused).when(resume).then(resumed).then_asking_again_changes_nothing()
    given(registered()).when(resume).then_nothing_happens()


def test_it_is_removed_once() -> None:
    remove = RemoveWebhook(webhook="webhook-1", reason="nobody reads it")
    given(registered()).when(remove).then(removed)
    given(registered(), removed).when(remove).then_it_is_refused(
        WebhookNotFound, "no webhook webhook-1"
    )


@pytest.mark.parametrize("reason", ["", " \n"])
def test_who_stops_it_says_why(reason: str) -> None:
    for command in (
        PauseWebhook(webhook="webhook-1", reason=reason),
        RemoveWebhook(webhook="webhook-1", reason=reason),
    ):
        given(registered()).when(command).then_it_is_refused(InvalidInput, "say why")


@pytest.mark.parametrize(
    "command",
    [
        ChangeWebhook(webhook="webhook-2"),
        PauseWebhook(webhook="webhook-2", reason="x"),
        ResumeWebhook(webhook="webhook-2"),
        RemoveWebhook(webhook="webhook-2", reason="x"),
    ],
)
def test_what_is_not_there_is_not_found(command: Any) -> None:
    given(registered()).when(command).then_it_is_refused(WebhookNotFound, "no webhook webhook-2")


# Dead letters

THE_LETTER: dict[str, Any] = {"webhook": "webhook-1", "position": 7}
ABOUT: dict[str, Any] = {
    **THE_LETTER,
    "event_id": "an-id",
    "event_type": "flag.created",
    "attempts": 17,
    "error": "answered 503 Service Unavailable",
}
dead = WebhookDeadLettered(**ABOUT)
asked = WebhookRedeliveryRequested(**THE_LETTER)
redelivered = WebhookRedelivered(**THE_LETTER)


def test_an_event_is_given_up_once() -> None:
    given_letter().when(GiveUp(**ABOUT)).then(dead).then_asking_again_changes_nothing()
    given_letter(dead, asked).when(GiveUp(**ABOUT)).then(dead)


def test_what_is_dead_may_be_tried_again() -> None:
    request, note = RequestRedelivery(**THE_LETTER), NoteRedelivery(**THE_LETTER)
    given_letter(dead).when(request).then(asked).then_asking_again_changes_nothing()
    given_letter(dead, asked).when(note).then(redelivered).then_asking_again_changes_nothing()
    for history in ([], [dead, asked, redelivered]):
        told = "Position 7 is no dead letter of webhook-1"
        given_letter(*history).when(request).then_it_is_refused(DeadLetterNotFound, told)


def test_it_is_open_until_it_is_delivered() -> None:
    stories = ([dead], [dead, asked], [dead, asked, dead], [dead, asked, redelivered], [])
    found = [webhooks.is_open(given_letter(*story).state) for story in stories]
    assert found == [True, True, True, False, False]

"""The assistant's policy on planted conversations."""

from pathlib import Path

import pytest

from cascadence.data_manifests.assistant.intents import (
    INTENTS,
    REPLY_DECLINED,
    REPLY_NOT_CAUGHT,
    render_reply,
)
from cascadence.data_manifests.assistant.outside import OUTSIDE_LINES, more_lines
from cascadence.data_manifests.assistant.policy import Policy, Reply
from cascadence.data_manifests.assistant.templates import slot_names
from cascadence.data_manifests.assistant.understanding import DialogueState, understand
from cascadence.data_manifests.assistant.values import TYPES

Turns = list[tuple[str, str, str]]

CONVERSATIONS: dict[str, Turns] = {
    "correction of a number keeps its unit": [
        ("Set a timer for five hours.", "Your timer is set for five hours.", "answer"),
        ("No, make it seven.", "Okay, your timer is set for seven hours.", "correction"),
    ],
    "correction of one slot keeps the others": [
        (
            "Set an alarm for six ten on Monday.",
            "Your alarm is set for six ten on Monday.",
            "answer",
        ),
        ("Actually, on Friday.", "Okay, your alarm is set for six ten on Friday.", "correction"),
        (
            "Not six ten, seven ten.",
            "Okay, your alarm is set for seven ten on Friday.",
            "correction",
        ),
        (
            "Make that eight, please.",
            "Okay, your alarm is set for eight o'clock on Friday.",
            "correction",
        ),
    ],
    "a full request that corrects": [
        ("Turn on the lights in the attic.", "The lights in the attic are now on.", "answer"),
        (
            "No, turn off the lights in the attic.",
            "Okay, the lights in the attic are now off.",
            "correction",
        ),
    ],
    "a new request after a denial is a new request": [
        ("Turn on the lights in the attic.", "The lights in the attic are now on.", "answer"),
        ("Actually, set a timer for two minutes.", "Your timer is set for two minutes.", "answer"),
    ],
    "two values of one type": [
        (
            "Book a flight from Rome to Paris on Friday.",
            "Your flight from Rome to Paris on Friday is booked.",
            "answer",
        ),
        (
            "No, to Berlin.",
            "Okay, your flight from Rome to Berlin on Friday is booked.",
            "correction",
        ),
        ("And from Oslo?", "Your flight from Oslo to Berlin on Friday is booked.", "answer"),
    ],
    "the same with another value": [
        (
            "How is the weather in Lima on Sunday?",
            "Here is the weather in Lima on Sunday.",
            "answer",
        ),
        ("And in Cairo?", "Here is the weather in Cairo on Sunday.", "answer"),
        ("The same for Tuesday.", "Here is the weather in Cairo on Tuesday.", "answer"),
        ("What about tomorrow?", "Here is the weather in Cairo tomorrow.", "answer"),
    ],
    "open slots are asked for one after the other": [
        ("Put the haircut in my calendar.", "On which day?", "clarify"),
        ("On Thursday.", "At what time?", "clarify"),
        ("Three.", "The haircut is in your calendar on Thursday at three o'clock.", "answer"),
    ],
    "an open question gives way to a new request": [
        ("Set a timer.", "For how long?", "clarify"),
        ("Call Maria.", "Calling Maria now.", "answer"),
    ],
    "what is no answer is asked again, and the question stays": [
        ("Set a timer.", "For how long?", "clarify"),
        ("Blorf.", REPLY_NOT_CAUGHT, "clarify"),
        ("Nine minutes.", "Your timer is set for nine minutes.", "answer"),
    ],
    "an open question can be dropped": [
        ("Set a timer.", "For how long?", "clarify"),
        ("Never mind.", "Okay, I cancelled that.", "answer"),
        ("Nine minutes.", REPLY_NOT_CAUGHT, "clarify"),
    ],
    "pronouns": [
        (
            "Remind me to call my sister at noon.",
            "I will remind you to call your sister at twelve o'clock.",
            "answer",
        ),
        ("Tell her that I am at home.", "I told your sister that you are at home.", "answer"),
        ("Switch on the kettle.", "The kettle is now on.", "answer"),
        ("Turn it off again.", "The kettle is now off.", "answer"),
    ],
    "a pronoun that stands for nothing is asked about": [
        ("Call her, please.", "Whom should I call?", "clarify"),
        ("Diana.", "Calling Diana now.", "answer"),
    ],
    "repeating": [
        ("What did you say?", REPLY_NOT_CAUGHT, "clarify"),
        ("Play some jazz.", "Now playing jazz.", "answer"),
        ("What did you say?", "Now playing jazz.", "answer"),
    ],
    "cancelling": [
        ("Cancel that.", "There is nothing to cancel.", "answer"),
        ("Add milk to my gift list.", "I added milk to your gift list.", "answer"),
        ("Cancel that.", "Okay, I cancelled that.", "answer"),
        ("And honey, please.", REPLY_DECLINED, "decline"),
    ],
    "declining keeps what was said before": [
        ("Set a timer for five minutes.", "Your timer is set for five minutes.", "answer"),
        ("Who invented the telephone?", REPLY_DECLINED, "decline"),
        ("No, make it six.", "Okay, your timer is set for six minutes.", "correction"),
    ],
    "silence changes nothing": [
        ("Set a timer.", "For how long?", "clarify"),
        ("", "", "nothing"),
        ("What did you say?", "For how long?", "answer"),
        ("Six minutes.", "Your timer is set for six minutes.", "answer"),
    ],
    "facts of the table": [
        ("What is eleven plus twelve?", "Eleven plus twelve is twenty three.", "answer"),
        (
            "How many inches are there in one foot?",
            "In one foot there are twelve inches.",
            "answer",
        ),
        ("Convert eleven inches to feet.", "In eleven inches there is about one foot.", "answer"),
        ("How many pounds are there in two hours?", REPLY_DECLINED, "decline"),
        ("What is three times four?", REPLY_DECLINED, "decline"),
    ],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(name: str) -> None:
    policy = Policy()
    for said, reply, kind in CONVERSATIONS[name]:
        got = policy.reply(said)
        assert (got.text, got.kind) == (reply, kind), said


def test_reset_forgets() -> None:
    policy = Policy()
    policy.reply("Set a timer for five minutes.")
    policy.reset()
    assert policy.reply("No, make it seven.").kind == "decline"
    assert policy.reply("What did you say?").text != "Your timer is set for five minutes."


def test_reply_carries_intent_and_slots() -> None:
    got = Policy().reply("Book a table for four at seven for Kevin.")
    slots = {"people": "four", "time": "seven o'clock", "name": "Kevin"}
    text = "Your table for four is booked at seven o'clock for Kevin."
    assert got == Reply(text, "book_table", slots, "answer")


def test_understanding_leaves_the_state_alone() -> None:
    state = DialogueState()
    meant = understand("Set a timer for five minutes.", state)
    assert (meant.intent, meant.slots) == ("set_timer", {"duration": "five minutes"})
    assert 0.5 < meant.confidence <= 1.0
    assert not meant.correction
    assert state == DialogueState()


def test_intents_are_well_formed() -> None:
    assert len(INTENTS) >= 18
    derived = {"result", "be"}
    for intent in INTENTS.values():
        names = {slot.name for slot in intent.slots}
        assert 6 <= len(intent.requests) <= 12, intent.name
        assert len(set(intent.requests)) == len(intent.requests), intent.name
        assert set(slot_names(intent.reply)) - derived <= names, intent.name
        for slot in intent.required:
            asked = slot.name in slot_names(intent.reply)
            assert asked or intent.name == "convert", (intent.name, slot.name)
        for slot in intent.slots:
            assert slot.type in TYPES
            assert slot_names(slot.fragment) == (slot.name,)
        for name, template in intent.partial + intent.anaphoric:
            assert name in names
            assert name not in slot_names(template), (intent.name, template)
            assert set(slot_names(template)) - {"pronoun"} <= names


def test_reply_needs_its_slots() -> None:
    with pytest.raises(KeyError):
        render_reply("set_timer", {})
    with pytest.raises(KeyError):
        render_reply("juggle", {})


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_requests_outside_the_domain_are_declined(split: str) -> None:
    openings = ("", "Book a table for five at seven.", "Play some jazz.")
    for index, line in enumerate(OUTSIDE_LINES[split]):
        text = line.replace("{name}", "Kevin").replace("{city}", "Vienna")
        for name in slot_names(text):
            text = text.replace(f"{{{name}}}", TYPES[name].values[index % 7])
        policy = Policy()
        policy.reply(openings[index % len(openings)])
        assert policy.reply(text).kind == "decline", text


def test_the_lines_of_the_benchmark_are_outside_and_in_no_split() -> None:
    path = Path(__file__).parent / "benchmarks" / "outside_blind.txt"
    blind = path.read_text(encoding="utf-8").splitlines()
    assert len(set(blind)) == len(blind) >= 140
    for text in blind:
        assert Policy().reply(text).kind == "decline", text
    known = {line.lower() for split in (*OUTSIDE_LINES.values(), more_lines()) for line in split}
    assert not known & {text.lower() for text in blind}


def test_the_further_lines_to_train_on_are_outside_and_in_no_other_split() -> None:
    lines = more_lines()
    assert len({line.lower() for line in lines}) == len(lines) == 5811
    for text in lines:
        assert Policy().reply(text).kind == "decline", text
    known = {line.lower() for split in OUTSIDE_LINES.values() for line in split}
    assert not known & {text.lower() for text in lines}


NEAR_THE_DOMAIN = """
Do you like jazz?
Can you recommend a hotel near the beach with a pool?
Who plays piano in this song?
My car broke down, what now?
Give me the lyrics of Yesterday.
What should I cook tonight?
Is my front door made of oak?
How do I clean the oven?
I lost my keys.
Did Kevin call?
Has the mail arrived?
What is the best restaurant in the world?
Which Italian cities should I visit?
Teach me French.
How do you say water in Spanish?
Translate the menu.
Buy me a house in Berlin.
Do I have any appointments tomorrow?
What is on my shopping list?
How much milk do I need for pancakes?
Where can I buy light bulbs?
How many lights are there in my kitchen?
Repaint the kitchen.
Delete my browser history.
Turn water into wine.
Book me for murder.
Play with the cat.
Set the dog free.
Cancel my subscription to the newspaper.
Remove the virus from my computer.
Add a new user account.
Take a walk with me.
Is there a flight museum in Berlin?
When is the next train to Prague?
How cold is it on Mars?
Tell me about the weather in the last century.
Why does it rain?
Who is Maria?
What time does the concert start?
Is Olivia coming to the wedding?
How are babies made?
Sing me a lullaby.
Ring the bell.
Read the text on this sign.
What did the doctor say about my test?
Call it a day.
Message in a bottle is a song by whom?
The volume of a cube is what?
Open the pod bay doors.
Open a bank account.
Close my eyes.
Dim sum is delicious.
Heat a can of soup.
I like trains.
The kitchen is on fire.
My brother is a doctor.
We went to Paris last summer.
It was raining all day.
The alarm clock was invented in America.
Switzerland is a country in Europe.
I have a dream.
He ordered two beers yesterday.
""".strip().splitlines()


@pytest.mark.parametrize("text", NEAR_THE_DOMAIN)
def test_requests_near_the_domain_are_declined(text: str) -> None:
    assert Policy().reply(text).kind == "decline"

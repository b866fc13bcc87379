import pytest

from cascadence.metrics.syllables import count_syllables
from cascadence.metrics.text import says, words


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("I set a timer for seven minutes.", "i set a timer for 7 minutes"),
        ("7.15 in the morning", "715 in the morning"),
        ("at 07:15 a.m.", "at 715 am"),
        ("seven fifteen", "715"),
        ("a quarter past seven", "715"),
        ("quarter to eight", "745"),
        ("half past nine tonight", "930 tonight"),
        ("ten past eleven", "1110"),
        ("seven oh five", "705"),
        ("7 o'clock", "700"),
        ("7am", "700 am"),
        ("five five one two nine", "55129"),
        ("May third", "may 3rd"),
        ("on the second", "on the 2nd"),
        ("one second", "1 second"),
        ("twenty-first of June", "21st of june"),
        ("two hundred twelfth", "212th"),
        ("two hundred and five", "205"),
        ("three thousand four hundred", "3400"),
        ("twenty five thousand and six", "25006"),
        ("a hundred and one", "101"),
        ("1,000 people", "1000 people"),
        ("2.5 million", "2.5 million"),
        ("two and a half hours", "2.5 hours"),
        ("three point one four", "314"),
        ("3.14", "314"),
        ("3 + 3 = 6", "3 plus 3 equals 6"),
        ("-5°C", "minus 5 degrees"),
        ("60%", "60 percent"),
        ("$5", "5 dollars"),
        ("It's fine, I can\u2019t", "it is fine i can not"),
        ("Um, okay", "ok"),
        ("nineteen ninety nine", "1999"),
        ("Zoë's café", "zoës café"),
        ("...", ""),
        ("", ""),
    ],
)
def test_all_ways_of_writing_one_thing_meet(text: str, reading: str) -> None:
    assert words(text) == reading.split()


@pytest.mark.parametrize("text", ["I set 2 timers at 7:15.", "on May 3rd, 205 people", "it is 2.5"])
def test_reading_twice_changes_nothing(text: str) -> None:
    once = " ".join(words(text))
    assert words(once) == once.split()


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Timer for 7 minutes", "seven minutes"),
        ("A seven-minute timer", "7 minutes"),
        ("The bats are out", "bat"),
        ("Two berries", "berry"),
        ("at 7, 20 minutes", "20 minutes"),
        ("at 7, 20 minutes", "7"),
        ("my code is 5 5 1 2 9", "55129"),
        ("code 551 29", "five five one two nine"),
        ("call 555-0123", "555 0123"),
        ("555, 0123", "5550123"),
        ("in an hour", "1 hour"),
        ("on the 3rd of May", "3"),
        ("May 3", "May third"),
        ("alarm at 7 o'clock", "7:00"),
        ("alarm at a quarter to eight", "7:45"),
        ("It leaves at 4.45.", "four forty five"),
        ("peanut, butter", "peanut butter"),
    ],
)
def test_what_a_human_would_accept_passes(text: str, phrase: str) -> None:
    assert says(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("combat boots", "bat"),
        ("a battery", "bat"),
        ("alarm at 7:15", "7"),
        ("alarm at 7:15", "15"),
        ("alarm at seven fifteen", "seven"),
        ("seventeen minutes", "7 minutes"),
        ("seventy minutes", "seven minutes"),
        ("code 55129", "512"),
        ("just a second", "2"),
        ("butter peanut", "peanut butter"),
        ("this is it", "i"),
        ("", "x"),
        ("x", ""),
    ],
)
def test_what_a_human_would_not_accept_fails(text: str, phrase: str) -> None:
    assert not says(text, phrase)


SYLLABLES = {
    1: "asked boat changed eight goes hours late locked paused please queue rule sure the times",
    2: "alarm apples being buses create dinner giant houses kitchen lion little message people "
    "playing quiet seven something table timer twenty wanted weather homework",
    3: "appointment area banana calendar capital idea messages museum oranges piano reminder "
    "serious video",
    4: "january temperature 7:15",
    5: "refrigerator 55129",
}


@pytest.mark.parametrize(
    ("word", "count"),
    [(word, count) for count, row in SYLLABLES.items() for word in row.split()],
)
def test_syllables_of_a_word(word: str, count: int) -> None:
    assert count_syllables(word) == count


def test_syllables_of_a_text_are_the_same_however_it_is_written() -> None:
    assert count_syllables("Set it for a quarter past seven.") == count_syllables("set it for 7:15")
    assert count_syllables("") == 0

"""What is said in the corpus `duplex` beside requests: stops, assent, and words for others."""

from __future__ import annotations

from typing import Final

CANCELS: Final = (
    "Cancel that.",
    "Stop that.",
    "No, cancel that.",
    "Never mind.",
    "Please cancel it.",
)
"""They take the request back; the domain confirms it."""
STOPS: Final = ("Stop.", "Please stop.")
"""They only want quiet: at most a word may follow."""

ACKNOWLEDGEMENTS: Final = (
    "Mm-hmm.",
    "Right.",
    "Okay.",
    "Mm-hmm.",
    "I see.",
    "Yes.",
    "Mm-hmm.",
    "Good.",
)
"""They claim nothing."""

ASIDES: Final = (
    "Honey, dinner is almost ready.",
    "Did you feed the cat this morning?",
    "Give me a minute, I am coming.",
    "Where did you put my glasses?",
    "Can you pass me the salt?",
    "I will be there in a second.",
    "Put your shoes on, we are leaving.",
    "Do not forget your jacket.",
    "Who left the window open again?",
    "Come here and look at this.",
    "That looks really good on you.",
)
"""To somebody in the room who does not answer."""

ANSWERED_ASIDES: Final = (
    ("Did you find your keys?", "They were under the sofa."),
    ("Are you hungry already?", "No, I can wait a little."),
    ("Who was that at the door?", "Only the man with the parcel."),
    ("Have you seen my blue sweater?", "I think it is still wet."),
    ("How was school today?", "It was fine, we had a test."),
    ("Do you want some tea?", "Yes, with a bit of milk."),
    ("Is your sister still asleep?", "She got up an hour ago."),
    ("Did you water the plants?", "I did it before lunch."),
    ("What are you looking for?", "My other shoe is gone."),
    ("Shall we eat outside?", "It is too cold for me."),
)
"""To somebody in the room, and what they say."""

BACKGROUND: Final = (
    "I told him that we would be late.",
    "The bus was full again this morning.",
    "She wants to paint the whole house green.",
    "We should visit them before the summer.",
    "He never closes the door behind him.",
    "My back hurts from all that digging.",
    "The neighbors are having a party again.",
    "I lost my umbrella on the train.",
    "They finally repaired the old bridge.",
    "You should have seen his face.",
    "The soup needs some more salt.",
    "We waited for almost two hours.",
    "Her brother works at a bank now.",
    "I have never liked that movie.",
    "The dog ran across the street.",
    "It rained the whole weekend.",
    "He bought a new car last month.",
    "The children are playing in the garden.",
    "Nobody told me about that.",
    "I am reading a book about whales.",
    "The shop is closed on Sunday.",
)
"""What somebody else says, on the phone or to a third person."""

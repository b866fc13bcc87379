"""What an ASR makes of requests, and phrasings that no template has, must still be understood."""

import pytest

from assistant_paraphrases import PARAPHRASED
from cascadence.data_manifests.assistant.policy import Policy

# Written by hand after the habits of Whisper tiny: figures, signs, homophones, missing or odd
# punctuation, near-miss names, doubled or dropped small words.
GARBLED = [
    ("Set a timer for 7 minutes", "Your timer is set for seven minutes."),
    ("set a timer for 7 minutes.", "Your timer is set for seven minutes."),
    ("Said a timer for seven minutes.", "Your timer is set for seven minutes."),
    ("Set the time her for 7 minutes.", "Your timer is set for seven minutes."),
    ("Start a 25-minute timer.", "Your timer is set for twenty five minutes."),
    ("Start a 25 minute timor.", "Your timer is set for twenty five minutes."),
    ("Can you count down 30 seconds?", "Your timer is set for thirty seconds."),
    ("Timer for 1 hour please", "Your timer is set for one hour."),
    ("Set a timer for half an hour.", "Your timer is set for thirty minutes."),
    ("Set a timer 4 5 minutes.", "Your timer is set for five minutes."),
    ("Set a timer for ate minutes.", "Your timer is set for eight minutes."),
    ("Set an alarm for 7.15 on Monday.", "Your alarm is set for seven fifteen on Monday."),
    ("Set an alarm for 715 on Monday", "Your alarm is set for seven fifteen on Monday."),
    ("Set in alarm for 7:15 on Monday.", "Your alarm is set for seven fifteen on Monday."),
    ("Wake me up at 6 o'clock tomorrow", "Your alarm is set for six o'clock tomorrow."),
    ("Wake me up at 6:30 a.m. on friday.", "Your alarm is set for six thirty on Friday."),
    ("Wake me up at half past six on Friday", "Your alarm is set for six thirty on Friday."),
    ("Set my alarm on Sunday for 5:05.", "Your alarm is set for five oh five on Sunday."),
    ("What's the weather like in Paris on Monday?", "Here is the weather in Paris on Monday."),
    ("What is the whether like in Paris on Monday?", "Here is the weather in Paris on Monday."),
    ("Weather in Edinboro on Tuesday please.", "Here is the weather in Edinburgh on Tuesday."),
    ("Will it rain in Zürich tomorrow", "Here is the weather in Zurich tomorrow."),
    ("How is the weather in Kopenhagen today?", "Here is the weather in Copenhagen today."),
    ("Do I need an umbrella in Seattl on Friday?", "Here is the weather in Seattle on Friday."),
    ("Turn of the lights in the kitchen.", "The lights in the kitchen are now off."),
    ("Turn on the light's in the kitchen", "The lights in the kitchen are now on."),
    ("Turn on the lice in the kitchen.", "The lights in the kitchen are now on."),
    ("Switch on the bath room lights, please", "The lights in the bathroom are now on."),
    ("Lights off in the liberry", "The lights in the library are now off."),
    ("Could you turn the hallway light's off?", "The lights in the hallway are now off."),
    ("Dim the lights in the office to 40%.", "The lights in the office are at forty percent."),
    (
        "Dim the lights in the office to 40 per cent",
        "The lights in the office are at forty percent.",
    ),
    ("Dim the lights in the office to 40.", "The lights in the office are at forty percent."),
    ("Set the studio lights to 5 %.", "The lights in the studio are at five percent."),
    ("Make the lights in the office turquois.", "The lights in the office are now turquoise."),
    ("Set the bedroom to 21°.", "The temperature in the bedroom is set to twenty one degrees."),
    (
        "Set the bedroom to 21 degrees",
        "The temperature in the bedroom is set to twenty one degrees.",
    ),
    (
        "Heat the nurserie to 20 degrees.",
        "The temperature in the nursery is set to twenty degrees.",
    ),
    ("Open the blines in the study.", "The blinds in the study are now open."),
    ("Please lock the back dor.", "The back door is now locked."),
    ("Turn on the coffee masheen.", "The coffee machine is now on."),
    ("Turn on the TV.", "The television is now on."),
    ("Set the volume to 7.", "The volume is now at seven."),
    ("Put on channel 44", "The television is on channel forty four."),
    ("Play some hip-hop.", "Now playing hip hop."),
    ("Play some bosa nova in the garden", "Now playing bossa nova in the garden."),
    ("Play drum & bass.", "Now playing drum and bass."),
    ("Pause the music", "The music is paused."),
    (
        "Book a table for 5 at 7 p.m. for Kevin",
        "Your table for five is booked at seven o'clock for Kevin.",
    ),
    (
        "Book a table for 5 at 7 p.m. for Kevin.",
        "Your table for five is booked at seven o'clock for Kevin.",
    ),
    (
        "Book a table for for at 730 under Hannah",
        "Your table for four is booked at seven thirty for Hannah.",
    ),
    (
        "Look a table for two at 8 under the name Steven.",
        "Your table for two is booked at eight o'clock for Stephen.",
    ),
    (
        "Reserve a table at 6:45 for 12 people, the name is Filip",
        "Your table for twelve is booked at six forty five for Philip.",
    ),
    (
        "Table for two at quarter to eight under Sara please.",
        "Your table for two is booked at seven forty five for Sarah.",
    ),
    ("Book a taxi to the airport at 9:20.", "Your taxi to the airport comes at nine twenty."),
    (
        "I need a taxi to the train station at nine twenty",
        "Your taxi to the train station comes at nine twenty.",
    ),
    (
        "Get me a cap to the airport at 9:20, please.",
        "Your taxi to the airport comes at nine twenty.",
    ),
    (
        "Book a flight from Oslo to Lisbon on Tuesday",
        "Your flight from Oslo to Lisbon on Tuesday is booked.",
    ),
    (
        "Book a flight from Oslow to Lisbin on Tuesday.",
        "Your flight from Oslo to Lisbon on Tuesday is booked.",
    ),
    (
        "Book a fight from Rome to Prague tomorrow.",
        "Your flight from Rome to Prague tomorrow is booked.",
    ),
    (
        "Could you book a flight to Lisbon from Oslo on Tuesday?",
        "Your flight from Oslo to Lisbon on Tuesday is booked.",
    ),
    ("Book a hotel in Vienna for 3 nights", "Your hotel in Vienna is booked for three nights."),
    ("Book a hotel in Vienna for 3 knights.", "Your hotel in Vienna is booked for three nights."),
    ("Find a Tie restaurant in Boston.", "Here are Thai restaurants in Boston."),
    ("Find an italian restaurant in boston", "Here are Italian restaurants in Boston."),
    ("Find a Vietnames restaurant in Boston.", "Here are Vietnamese restaurants in Boston."),
    ("Order 12 pizza's.", "I ordered twelve pizzas for you."),
    ("I would like 3 donuts please.", "I ordered three doughnuts for you."),
    ("remind me to call jon at 8:00", "I will remind you to call John at eight o'clock."),
    ("Remind me to call Jon at 8.", "I will remind you to call John at eight o'clock."),
    (
        "Remind me to call my mum at ten past three.",
        "I will remind you to call your mother at three ten.",
    ),
    ("Remained me to call Kathryn at 4:50.", "I will remind you to call Catherine at four fifty."),
    ("Remind me to water the plans on Sunday.", "I will remind you to water the plants on Sunday."),
    ("Remind me to moe the lawn on Sunday.", "I will remind you to mow the lawn on Sunday."),
    ("Call Kristofer.", "Calling Christopher now."),
    ("Cole Margaret, please.", "Calling Margaret now."),
    ("Please call Meghan", "Calling Megan now."),
    ("Tell Lukas that I'm running late.", "I told Lucas that you are running late."),
    ("Tell Lucas that I'm on my way", "I told Lucas that you are on your way."),
    ("Text Rebekah that dinner's ready.", "I told Rebecca that dinner is ready."),
    (
        "Send a message to Lucas saying the train is delayd.",
        "I told Lucas that the train is delayed.",
    ),
    (
        "Invite Theresa to the bord meeting on Monday.",
        "I invited Theresa to the board meeting on Monday.",
    ),
    ("Add oat milk to my shopping list", "I added oat milk to your shopping list."),
    ("Ad peanut butter to the grocery list.", "I added peanut butter to your grocery list."),
    ("Put flower on the shopping list.", "I added flour to your shopping list."),
    ("Take brocoli off my packing list.", "I took broccoli off your packing list."),
    ("Move the staff meating to Thursday.", "The staff meeting is moved to Thursday."),
    ("Cancel the dentist apointment on Friday.", "The dentist appointment on Friday is cancelled."),
    (
        "I have a job interview on Friday at 930.",
        "The job interview is in your calendar on Friday at nine thirty.",
    ),
    ("What's 3 + 4?", "Three plus four is seven."),
    ("What is 3 plus 4", "Three plus four is seven."),
    ("How many days are there in 3 weeks?", "In three weeks there are twenty one days."),
    ("Convert 2 hours to minutes", "In two hours there are one hundred twenty minutes."),
    ("Repeat the number 5 5 5 1 2", "You said five five five one two."),
    ("Repeat the number 55512.", "You said five five five one two."),
    ("Repeat the number 5-5-5-1-2.", "You said five five five one two."),
    ("Repeat the number 555-12.", "You said five five five one two."),
    ("My code is 9 to 0, please repeat it.", "You said nine two zero."),
    ("Read back 9, 2, 0.", "You said nine two zero."),
    ("Set the language to norwegian", "The language is now set to Norwegian."),
    ("My name is Yvone.", "Nice to meet you, Yvonne."),
    ("Hello, I'm Marcus.", "Nice to meet you, Marcus."),
    ("I live in Reykjavík.", "I will remember that you live in Reykjavik."),
    ("I'm so tired right now", "I am sorry that you feel tired."),
    ("I feel realy happy.", "I am glad that you feel happy."),
    ("Thank you very much", "You are very welcome."),
    ("Good bye.", "Goodbye, talk to you soon."),
    ("Hay, set a timer for 10 minutes!", "Your timer is set for ten minutes."),
    ("Okay. Um, set a timer for 10 minutes", "Your timer is set for ten minutes."),
]

# Phrasings that no template has.
GARBLED_CONVERSATIONS = [
    [
        ("Set a timer for 5 minutes", "Your timer is set for five minutes."),
        ("No make it 7.", "Okay, your timer is set for seven minutes."),
        ("Know, make it nine", "Okay, your timer is set for nine minutes."),
        ("And 1 for 10 seconds", "Your timer is set for ten seconds."),
        ("Never mind", "Okay, I cancelled that."),
    ],
    [
        ("Set an alarm for 630.", "On which day?"),
        ("On Fridays.", "Your alarm is set for six thirty on Friday."),
        ("Actually, 7:15", "Okay, your alarm is set for seven fifteen on Friday."),
        ("the same 4 Sunday", "Your alarm is set for seven fifteen on Sunday."),
    ],
    [
        ("Book a table for 5 at 7 p.m.", "Under which name?"),
        ("kevan", "Your table for five is booked at seven o'clock for Kevin."),
        (
            "Sorry, I meant 6 people",
            "Okay, your table for six is booked at seven o'clock for Kevin.",
        ),
        ("Not 7, 8:30", "Okay, your table for six is booked at eight thirty for Kevin."),
        ("Call him please", "Calling Kevin now."),
    ],
    [
        ("Turn of the lights in the kitchen", "The lights in the kitchen are now off."),
        ("And in the bed room to", "The lights in the bedroom are now off."),
        (
            "Set the temperature there to 21",
            "The temperature in the bedroom is set to twenty one degrees.",
        ),
        ("Pardon", "The temperature in the bedroom is set to twenty one degrees."),
    ],
    [
        ("Repeat the number 5 5 1.", "You said five five one."),
        ("No, I said 559.", "Okay, you said five five nine."),
        ("Not 559, 4 4 2", "Okay, you said four four two."),
    ],
    [
        (
            "Book a flight from Rome to Oslo on Friday.",
            "Your flight from Rome to Oslo on Friday is booked.",
        ),
        ("What's the whether like there on Sunday?", "Here is the weather in Oslo on Sunday."),
        ("How about Bergan?", "Here is the weather in Bergen on Sunday."),
        ("I need a hotel there for 3 knights", "Your hotel in Bergen is booked for three nights."),
    ],
    [
        ("Send a message to Olivia", "What should I say?"),
        ("that I'm on my way", "I told Olivia that you are on your way."),
        ("And tell my dad that I'm on my way.", "I told your father that you are on your way."),
    ],
]


@pytest.mark.parametrize(("heard", "reply"), GARBLED)
def test_garbled(heard: str, reply: str) -> None:
    assert Policy().reply(heard).text == reply


@pytest.mark.parametrize(("said", "reply"), PARAPHRASED)
def test_paraphrased(said: str, reply: str) -> None:
    assert Policy().reply(said).text == reply


@pytest.mark.parametrize("turns", GARBLED_CONVERSATIONS)
def test_garbled_conversations(turns: list[tuple[str, str]]) -> None:
    policy = Policy()
    for heard, reply in turns:
        assert policy.reply(heard).text == reply


@pytest.mark.parametrize("heard", ["", " ", ".", "...", "[BLANK_AUDIO]", "(coughs)", "*music*"])
def test_silence_is_not_answered(heard: str) -> None:
    reply = Policy().reply(heard)
    assert (reply.kind, reply.text) == ("nothing", "")


@pytest.mark.parametrize(
    "heard", ["you", "the the", "Blorf snizzle.", "Zorgle vexin trabble.", "Um."]
)
def test_what_makes_no_sense_is_asked_again(heard: str) -> None:
    reply = Policy().reply(heard)
    assert reply.text in ("Sorry, I did not catch that.", "")
    assert reply.intent is None

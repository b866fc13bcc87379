"""What an ASR makes of requests, and phrasings that no template has, must still be understood."""

import pytest

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
PARAPHRASED = [
    (
        "Hey there, can you start a timer, fifteen minutes please?",
        "Your timer is set for fifteen minutes.",
    ),
    ("I'm boiling eggs, give me six minutes on the timer.", "Your timer is set for six minutes."),
    (
        "Get me out of bed at six twenty on Wednesday.",
        "Your alarm is set for six twenty on Wednesday.",
    ),
    ("I need an alarm on Thursday, five a.m.", "Your alarm is set for five o'clock on Thursday."),
    ("Kill the timer, please.", "Your timer is cancelled."),
    ("Drop Saturday's alarm.", "Your alarm on Saturday is cancelled."),
    (
        "What can I expect from the weather in Tokyo on Friday?",
        "Here is the weather in Tokyo on Friday.",
    ),
    ("Is Madrid going to be rainy tomorrow?", "Here is the weather in Madrid tomorrow."),
    ("Kitchen lights on, please.", "The lights in the kitchen are now on."),
    (
        "It's bright in the study, could you turn the lights off there?",
        "The lights in the study are now off.",
    ),
    ("Paint the living room lights purple.", "The lights in the living room are now purple."),
    (
        "Bring the lights in the hallway down to thirty percent.",
        "The lights in the hallway are at thirty percent.",
    ),
    (
        "I'd like the office at nineteen degrees.",
        "The temperature in the office is set to nineteen degrees.",
    ),
    ("Raise the blinds in the lounge.", "The blinds in the lounge are now open."),
    ("Please switch the dishwasher on for me.", "The dishwasher is now on."),
    ("Did I lock the back door? Please lock the back door.", "The back door is now locked."),
    (
        "The living room is dirty, vacuum the living room at three thirty.",
        "The robot will clean the living room at three thirty.",
    ),
    ("A bit louder, volume twelve.", "The volume is now at twelve."),
    ("Go to channel nine.", "The television is on channel nine."),
    ("I fancy some reggae.", "Now playing reggae."),
    ("Hold the music for a second.", "The music is paused."),
    ("Make sure I call my dad at five.", "I will remind you to call your father at five o'clock."),
    (
        "Remind me on Tuesday that I have to walk the dog.",
        "I will remind you to walk the dog on Tuesday.",
    ),
    (
        "There's a concert on Friday at eight fifteen, put it in my diary.",
        "The concert is in your calendar on Friday at eight fifteen.",
    ),
    ("Shift the sales meeting to Wednesday.", "The sales meeting is moved to Wednesday."),
    (
        "The piano lesson on Monday is cancelled, delete it please.",
        "The piano lesson on Monday is cancelled.",
    ),
    ("Honey goes on the shopping list.", "I added honey to your shopping list."),
    ("We have enough tofu, take it off the grocery list.", "I took tofu off your grocery list."),
    (
        "Two people, at six, a table under Daphne please.",
        "Your table for two is booked at six o'clock for Daphne.",
    ),
    (
        "Could we have a table for nine tonight at seven thirty, name of Oscar?",
        "Your table for nine is booked at seven thirty for Oscar.",
    ),
    ("A cab to the harbor at eleven, please.", "Your taxi to the harbor comes at eleven o'clock."),
    (
        "I want to walk, how do I get to the castle by bicycle?",
        "Here is the way to the castle by bicycle.",
    ),
    (
        "Fly me from Lisbon to Dublin tomorrow.",
        "Your flight from Lisbon to Dublin tomorrow is booked.",
    ),
    (
        "I need to be in Geneva on Monday, book a flight from Vienna.",
        "Your flight from Vienna to Geneva on Monday is booked.",
    ),
    ("Five nights in Porto, find us a hotel.", "Your hotel in Porto is booked for five nights."),
    ("Any good Greek places to eat in Munich?", "Here are Greek restaurants in Munich."),
    ("Six veggie burgers for delivery please.", "I ordered six veggie burgers for you."),
    ("Let me talk to Beatrice.", "Calling Beatrice now."),
    (
        "Could you let my boss know that I'm stuck in traffic?",
        "I told your boss that you are stuck in traffic.",
    ),
    (
        "Ask Pedro whether he'll come to the wedding on Saturday, invite him.",
        "I invited Pedro to the wedding on Saturday.",
    ),
    ("People call me Nora, my name is Nora.", "Nice to meet you, Nora."),
    ("We moved to Bristol.", "I will remember that you live in Bristol."),
    ("Honestly I feel terrible today.", "I am sorry that you feel terrible."),
    ("I'm really excited!", "I am glad that you feel excited."),
    ("Ten plus five makes what?", "Ten plus five is fifteen."),
    ("How many minutes are four hours?", "In four hours there are two hundred forty minutes."),
    ("Say eight eight one back to me.", "You said eight eight one."),
    ("Could you change the display language to Welsh?", "The language is now set to Welsh."),
    ("Cheers, thanks.", "You are very welcome."),
    ("Bye now.", "Goodbye, talk to you soon."),
    ("Are you human?", "I am your voice assistant."),
    ("Set a timer for 7min.", "Your timer is set for seven minutes."),
    ("Remind me to call Steven at 7:30pm.", "I will remind you to call Stephen at seven thirty."),
    ("Book a table for 4 @ 7 for Ana.", "Your table for four is booked at seven o'clock for Anna."),
    ("Play smooth jass in the den ing room.", "Now playing smooth jazz in the dining room."),
    ("Add bananna's to my shopping list.", "I added bananas to your shopping list."),
    ("Turn on the dish washer.", "The dishwasher is now on."),
    ("Move the yoga class too Friday.", "The yoga class is moved to Friday."),
    ("Call Geffrey.", "Calling Geoffrey now."),
    ("I live in Los Angelis.", "I will remember that you live in Los Angeles."),
    ("How's the weather in New York on Thursday?", "Here is the weather in New York on Thursday."),
    (
        "Invite Anthony to the book club on Tuesday",
        "I invited Anthony to the book club on Tuesday.",
    ),
    ("Set the kitchen to 19.", "The temperature in the kitchen is set to nineteen degrees."),
    ("Lock the garden gate", "The garden gate is now locked."),
    ("Read back 4 4 0 9.", "You said four four zero nine."),
    ("My code is 4409, please repeat it.", "You said four four zero nine."),
    ("Say the number 715.", "You said seven one five."),
    ("What's 12 plus 12?", "Twelve plus twelve is twenty four."),
    ("Tell Maria that I've missed the train.", "I told Maria that you have missed the train."),
    ("Tell Maria that everything's fine.", "I told Maria that everything is fine."),
    (
        "Set an alarm for 12 o'clock on Saturday.",
        "Your alarm is set for twelve o'clock on Saturday.",
    ),
    (
        "Vacuum the guest room at 11:55.",
        "The robot will clean the guest room at eleven fifty five.",
    ),
    ("Order 4 tacos.", "I ordered four tacos for you."),
    ("I'm feeling anxious.", "I am sorry that you feel anxious."),
    ("Order for tacos.", "I ordered four tacos for you."),
    (
        "I'd like you to wake me at seven thirty on Friday.",
        "Your alarm is set for seven thirty on Friday.",
    ),
    (
        "Would you mind switching the lights in the garage off?",
        "The lights in the garage are now off.",
    ),
    ("It's too dark in the garage, turn the lights on.", "The lights in the garage are now on."),
    ("Could we get the kitchen lights a nice orange?", "The lights in the kitchen are now orange."),
    ("Let's have some jazz in the living room.", "Now playing jazz in the living room."),
    (
        "Can you tell me whether it will snow in Oslo on Sunday?",
        "Here is the weather in Oslo on Sunday.",
    ),
    ("I'd love to know Sunday's forecast for Oslo.", "Here is the weather in Oslo on Sunday."),
    (
        "We'd like to have dinner at eight, a table for six, under Pedro.",
        "Your table for six is booked at eight o'clock for Pedro.",
    ),
    (
        "My husband and I need a taxi to the opera at seven.",
        "Your taxi to the opera comes at seven o'clock.",
    ),
    (
        "On Monday I'm flying from Madrid to Berlin, get me a ticket.",
        "Your flight from Madrid to Berlin on Monday is booked.",
    ),
    (
        "We need somewhere to sleep in Berlin for two nights, a hotel.",
        "Your hotel in Berlin is booked for two nights.",
    ),
    (
        "Is there anywhere in Berlin that serves Turkish food?",
        "Here are Turkish restaurants in Berlin.",
    ),
    ("Which way to the museum by tram?", "Here is the way to the museum by tram."),
    ("Give my brother a ring.", "Calling your brother now."),
    ("Let Diana know that the car is ready.", "I told Diana that the car is ready."),
    ("We are out of eggs, add them to the grocery list.", "I added eggs to your grocery list."),
    ("Scratch butter from the shopping list.", "I took butter off your shopping list."),
    (
        "Don't forget to remind me to pay the rent on Friday.",
        "I will remind you to pay the rent on Friday.",
    ),
    ("The wedding got postponed to Saturday.", "The wedding is moved to Saturday."),
    ("Please get rid of my alarm on Monday, cancel it.", "Your alarm on Monday is cancelled."),
    (
        "I am freezing, heat the office to twenty three degrees.",
        "The temperature in the office is set to twenty three degrees.",
    ),
    ("Shut the curtains in the bedroom.", "The blinds in the bedroom are now closed."),
    ("Is the front door locked? If not, lock the front door.", "The front door is now locked."),
    ("Turn the volume down to three.", "The volume is now at three."),
    ("I'm feeling pretty lonely tonight.", "I am sorry that you feel lonely."),
    ("From now on I want the menu in Danish.", "The language is now set to Danish."),
    ("Please stop that timer now.", "Your timer is cancelled."),
    ("How many feet is seven yards?", "In seven yards there are twenty one feet."),
]


# A whole conversation each: what is heard, and the reply.
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

"""Requests outside the domain, which the assistant must decline.

The lines of the three splits are disjoint. ``{name}``, ``{city}`` and others take values of the
domain, so that a known word alone does not make a request answerable.
"""

from pathlib import Path

from cascadence.data_manifests.assistant.outside_train import FURTHER_LINES

_TRAIN = """
What is the capital of France?
Who invented the telephone?
Tell me a joke.
How tall is the Eiffel Tower?
Why is the sky blue?
Write a poem about the sea.
What is the meaning of life?
How do airplanes stay in the air?
Who is the president of Brazil?
What is the square root of eighty one?
Explain how an engine works.
How many people live in {city}?
Who won the world cup last year?
Tell me a story about a dragon.
What is the price of gold?
How far is the moon from the earth?
Who painted the Mona Lisa?
What does a lawyer earn?
Give me a recipe for apple pie.
How old is {name}?
What is seven times eight?
Why do cats purr?
Who wrote Romeo and Juliet?
What is the population of {city}?
Can you sing a song for me?
How do I tie a tie?
What is the largest animal in the world?
When did the war end?
Which team won the match?
How much does a new car cost?
Translate good morning into Spanish.
What is the fastest animal?
How do vaccines work?
Tell me something about dinosaurs.
What is the history of {city}?
Do you believe in ghosts?
How many bones are in the human body?
Who discovered America?
What is the chemical formula of water?
Can you write my essay?
What did {name} say yesterday?
How do I fix a broken heart?
Which phone should I buy?
What are the latest headlines?
How is the stock market doing?
Why did {name} leave?
What is twenty minus six?
Who is the richest man in the world?
How do I learn to swim?
Is there life on Mars?
What is the boiling point of water?
Recite a poem by a famous poet.
Give me some advice about love.
How do I get rid of ants?
Who is the king of Spain?
What is the longest river?
Can dogs see colors?
How many planets are there?
What language do they speak in {city}?
Tell me a riddle.
Which movie won the award?
How do magnets work?
What is a black hole?
Who was the first man on the moon?
Compare these two phones for me.
How do I become a pilot?
What is my horoscope?
Draw a picture of a horse.
How long do elephants live?
What is the highest mountain in Africa?
Who plays the main role in that film?
Tell me who {name} is married to.
How many calories does a banana have?
What is the best way to lose weight?
How can I earn more money?
Could you solve this riddle?
What happened in the year nineteen forty five?
Who built the pyramids?
What is the exchange rate of the euro?
Should I marry {name}?
How do bees make honey?
Is {city} bigger than Texas?
How do I remove a wine stain?
What is photosynthesis?
Does God exist?
How can I sleep better?
Who is the author of that novel?
What is the opposite of brave?
How do you spell necessary?
Define the word democracy.
What rhymes with orange?
How many inhabitants does China have?
What is the difference between a frog and a toad?
Pick a lottery number for me.
Help me with my homework.
How do I write a good letter?
Which country has the most lakes?
What does this word mean?
Prove that the earth is round.
How did the dinosaurs die?
Who is your favorite actor?
Tell me the secret of happiness.
How many legs does a spider have?
What is the theory of relativity?
Can you predict the future?
How big is the sun?
Which vitamins are in carrots?
What is the currency of Japan?
Who founded {city}?
How do I train for a marathon?
Is it healthy to drink coffee?
What was the name of my first teacher?
How are diamonds formed?
What can you tell me about Napoleon?
How do I change a flat tire?
What is the best pizza in {city}?
Who invented the light bulb?
How long is the Nile?
When was {city} founded?
Do you dream at night?
What are black holes made of?
How does a microwave work?
Who sang that song?
How do plants grow?
What is five divided by two?
Give me an example of irony.
Which shoes go with a red dress?
Summarize the book that I am reading.
How do I whistle?
What does {name} do for a living?
When was the first computer built?
How many stars are in the sky?
Is a tomato a fruit?
Teach me some chemistry.
Why are flamingos pink?
Tell me about the history of jazz.
What is wrong with my computer?
Who is the mayor of {city}?
How do I ask for a raise?
Invent a name for my hamster.
How does the heart work?
What are the rules of chess?
Bet ten dollars on the white horse.
Do my tax return.
Sell my shares.
What causes earthquakes?
Play chess with me.
Set fire to the barn.
What time is it?
Take a picture of the garden.
Order a new laptop.
Send flowers to {name}.
Book a cruise around the world.
How is the traffic to {city}?
Turn the car around.
Buy a train ticket to {city}.
What is the phone number of {name}?
When does the supermarket open?
Read me the news.
Find my glasses.
Make me laugh.
Which lights use the least energy?
How long does a flight to {city} take?
What is playing at the cinema tonight?
Record my favorite show.
Who is calling me?
Water the garden with lemonade.
What did I put in the cellar?
Where did I park my car?
Check my bank account.
Is my alarm clock from Germany?
Who invented the alarm clock?
Why is the kitchen so small?
Print my boarding pass.
Connect me to the internet.
How expensive is a hotel in {city}?
Wash the dog.
Pay my phone bill.
"""

_DEV = """
Who is the tallest man alive?
What is the tallest building in {city}?
Why do leaves fall in autumn?
Can you beat me at chess?
How do I cook rice?
How hot is the center of the earth?
Which river flows through {city}?
Who taught {name} to drive?
What is nine times nine?
Write a letter of complaint.
How do submarines dive?
What is the smallest country?
Is honey good for a sore throat?
How do I improve my memory?
Who composed that symphony?
What is inflation?
How many strings does a violin have?
Give me three facts about whales.
Which planet is the biggest?
Why was {name} so late?
Play football with {name}.
What day is it today?
How much is a taxi to {city}?
Repair the washing machine.
Read my mail to me.
Why does the timer tick?
"""

_TEST = """
Who was the first president of the United States?
How deep is the ocean?
What makes the wind blow?
Who directed that movie?
How heavy is an elephant?
What is the national dish of Portugal?
Why do we yawn?
Which metal is the heaviest?
How do rockets fly?
Who invented the wheel?
What is twelve minus five?
Tell me a fairy tale.
How many days did the war last?
What is the oldest university?
Who owns the football club of {city}?
How do spiders build their webs?
What is the speed of light?
Why does {name} hate me?
Who discovered penicillin?
How do I start a business?
Is it safe to travel to {city}?
How wide is the river?
What is a haiku?
Which bird cannot fly?
How do batteries store energy?
What is the most expensive painting?
Write a speech for the wedding.
How much money does {name} make?
Who is the goddess of love?
Why is the sea salty?
What is the plot of that book?
How do I grow a beard?
Can fish feel pain?
When did the Titanic sink?
Which sport burns the most calories?
How many teeth does a shark have?
Who wrote the national anthem?
What is the best university in {city}?
How do clouds form?
Recommend a good novel.
What is six multiplied by four?
How did {name} become so famous?
Why do people lie?
Is the universe infinite?
What does a compass do?
How do I knit a scarf?
What is the biggest desert?
Who invented paper?
Translate thank you into Japanese.
How long does a butterfly live?
What should I study?
Are there wolves in Germany?
Which king built that castle?
How does gravity work?
What is the secret ingredient of the sauce?
Who is the fastest runner?
Tell me how to get rich.
Write a program that sorts numbers.
What are the symptoms of the flu?
How do I say sorry to {name}?
Why is {city} called that?
How is glass made?
Who was Cleopatra?
What is an atom?
How do I teach a parrot to speak?
Which is the coldest place on earth?
Can you diagnose my cough?
What is the average salary in {city}?
How many islands does Greece have?
Who invented the alphabet?
Give me a tongue twister.
What is dark matter?
How do I build a tree house?
Why did the empire fall?
Which party will win the election?
How much does a whale eat?
Invest my savings for me.
What is the moral of the story?
How do I stop snoring?
Which team does {name} support?
Play cards with {name}.
What is the date today?
Set the record straight.
Draw a map of {city}.
Order a book about whales.
Send a postcard to {city}.
How busy is the museum?
Turn the page.
What is the address of {name}?
When does the bank close?
Read me a bedtime book.
Find my wallet.
Which hotel has the best pool?
How much does a flight to {city} cost?
What is on television tonight?
Who rang the doorbell?
Where did {name} put the keys?
Measure my blood pressure.
Who invented the piano?
Why is the bathroom so cold?
Feed my crocodile.
Renew my visa.
Sharpen the knives.
Are the lights in {city} beautiful?
"""

OUTSIDE_LINES: dict[str, tuple[str, ...]] = {
    "train": (*_TRAIN.strip().splitlines(), *FURTHER_LINES),
    "dev": tuple(_DEV.strip().splitlines()),
    "test": tuple(_TEST.strip().splitlines()),
}
"""Requests outside the domain, by split."""


def more_lines() -> list[str]:
    """Read what people might say to a voice assistant that cannot do it: to train on, no split.

    5 811 different lines: commands, questions, statements, near misses; the policy declines each.
    """
    path = Path(__file__).with_name("outside_more.txt")
    return path.read_text(encoding="ascii").splitlines()

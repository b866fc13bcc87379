"""Further requests outside the domain, for training: patterns, each with what stands in its gap.

A model that has met few of them answers what merely begins like a request of the domain, or
holds one of its words; so most patterns here begin like one, or take values of the domain.
"""

import re

_QUESTIONS = """
What is _ made of? :: plastic | marble | cement | chewing gum | cheese | silk | soap | bronze
Who invented _? :: the zipper | the bicycle | the parachute | the radio | chewing gum
    | the microscope | the umbrella | the calendar
Who painted _? :: this portrait | the ceiling | the sunflowers | the night watch | the scream
Who composed _? :: the moonlight sonata | the magic flute | this opera | the four seasons
Who was _? :: Mozart | Columbus | Marie Curie | Galileo | Picasso | Nero | Socrates
    | Queen Victoria
When was _ born? :: Beethoven | Einstein | Gandhi | the queen | Shakespeare | {name}
When did _ end? :: the ice age | the revolution | the middle ages | the cold war | the game
Where is _? :: Madagascar | the north pole | the equator | my umbrella | my other sock
    | the remote | Timbuktu
Where does _ come from? :: chocolate | the word robot | rubber | pepper | my cold | electricity
Why do _? :: cats hate water | onions make me cry | birds sing | we laugh | stars twinkle
    | men snore | ships float | bats hang upside down
Why does _? :: the moon shine | bread rise | iron rust | time fly | ice float | {name} laugh
    | my back hurt
Why is _? :: grass green | the moon round | snow white | gold valuable | {city} famous
    | {name} angry | the {device} loud | Venus hot
Can _? :: penguins fly | cats swim | plants hear music | snakes jump | you cook | you whistle
    | you tell the future | people live on the moon
Do _? :: fish sleep | bees have knees | you speak {language} | robots dream
Does _? :: honey spoil | lightning strike twice | money make people happy | {city} have a zoo
Is _? :: the earth flat | chess a sport | glass a liquid | {name} my friend | a whale a fish
    | chocolate healthy | Pluto a planet
Are _? :: bats blind | spiders insects | there bears in Norway | there castles near {city}
    | the {item} fresh | carrots good for the eyes
Is the _? :: {room} haunted | {device} broken | {door} made of steel | {event} worth it
Are the _? :: windows in the {room} clean | lights in the sky satellites | trains in {city} fast
    | people in {city} friendly | {item} from Spain
How do _ work? :: parachutes | elections | lasers | volcanoes | locks | computers | telescopes
    | refrigerators | mirrors
How does _ work? :: a toaster | radar | the lottery | a violin | evolution | the {device}
    | a pacemaker
How do I _? :: juggle | grow tomatoes | play the violin | train a puppy | lose my fear
    | write a song | sharpen a pencil | fold a napkin | get rid of mice | repair the {device}
    | impress {name} | cook {dish}
How old is _? :: the universe | the pope | this wine | the pyramid | Rome
    | a hundred year old tree
How big is _? :: a blue whale | the moon | Australia | an atom | {city} | the {room}
How far is _? :: the sun | Mars | the next star | the horizon | Africa
How fast is _? :: a cheetah | sound | a falcon | a snail | the train to {city}
How tall is _? :: a giraffe | the tallest tree | {name} | the statue of liberty
How long is _? :: the great wall | the Amazon | a marathon | a football field
    | the flight to {city}
How much does _ cost? :: a castle | a haircut | a ticket to {city} | a kilo of {item} | a horse
    | a wedding | the {device}
How much _ should I drink? :: water | milk | tea | juice
How many _ are there? :: continents | languages | oceans | kinds of bears
    | letters in the alphabet | players in a baseball team
How many _ does it take? :: eggs | people | bricks | tries
How many people _? :: speak {language} | visit {city} | have red hair | like {dish}
    | are called {name}
How hard is _? :: {language} | a diamond | medical school | the exam for pilots
What color is _? :: a giraffe's tongue | an emu egg | {name}'s hair
What does _ mean? :: carpe diem | my dream | {name} | this sign | the word serendipity
    | {colour}
What is the _ of {city}? :: nickname | area code | oldest church | main industry | patron saint
    | elevation
What is the capital of _? :: Canada | Peru | Egypt | Norway | Mongolia | Italy | Kenya
What is the _ in the world? :: tallest building | deepest lake | loudest noise | rarest stamp
    | oldest tree | smallest bird
What is the best _? :: way to peel a mango | camera | season for skiing | language to learn
    | joke about lawyers | {cuisine} wine
What is _? :: philosophy | a tax haven | jealousy | a triangle | an allergy | the stock exchange
    | a sonnet | karma | algebra | a comet
What is _ minus two? :: ten | fifty | thirty | eleven | nineteen | one hundred
What is _ times three? :: two | four | eleven | twenty | thirteen
What is _ divided by four? :: eight | forty | sixteen | a hundred
What is the _ of nine? :: square root | cube | half | double
What are _? :: fossils | the northern lights | sleeping pills | tides | the odds | human rights
What makes _? :: thunder | a good friend | bread fluffy | people yawn | a car stop
    | leaves turn red
What happened to _? :: the Romans | my bicycle | {name} | the mammoths | the treasure
What should I _? :: wear to the {event} | read | give {name} for a birthday | name my cat
    | do with my life | paint
What did _? :: the romans eat | Napoleon say | {name} write | the doctor mean
    | the mayor promise
What do _ eat? :: pandas | koalas | owls | hedgehogs
Which _ is the best? :: team | university | phone | bank | wine | toothpaste | airline
Which _ has the longest neck? :: animal | bird | dinosaur
Which animal _? :: lays eggs | sleeps the most | can live longest | jumps highest
Which president _? :: was shot | wore a beard | came from Texas | liked {dish}
Who is _? :: the prime minister of Canada | the pope | taller than {name} | {name}
    | stronger, a lion or a tiger | behind that mask
Who won _? :: the elections | the marathon | the gold medal | the quiz | the match in {city}
Who wrote _? :: Don Quixote | the Odyssey | this letter | the bible | Frankenstein
Who _ first? :: climbed Everest | reached the south pole | flew across the ocean
    | swam the channel
Who ate _? :: my {item} | the last {dish} | my sandwich
Will _? :: robots rule the world | {name} forgive me | my team win | it ever stop hurting
    | prices fall
Should I _? :: get a cat | trust {name} | move to {city} | learn {language} | buy a motorbike
    | cut my hair
Would you _? :: marry me | rather fly or be invisible | die for science
Have you _? :: seen {name}'s photos | read Tolstoy | ever been to {city} | got feelings
Is it _? :: true that elephants never forget | rude to stare | legal to park here
    | far to the border | dangerous to swim here
Was _? :: Caesar an emperor | the moon landing real | my grandfather a pilot
"""

_COMMANDS = """
Set _. :: the table | the house on fire | an example | the hostages free | a new world record
    | the dog on {name} | my watch
Turn _. :: the pancakes | water into wine | the other cheek | the steak | my life around
    | the map upside down
Switch _. :: seats with {name} | the labels
Order _. :: a magazine about boats | a new kitchen | a taxidermist | some silence
    | flowers for {name} | a poster of {city} | more printer ink
Book _. :: a dentist | a clown for the {event} | a massage | a photographer | a cabin on a ship
    | two seats at the opera
Call _. :: my bluff | it a day | the whole thing a success | a spade a spade
Add _. :: insult to injury | a chapter to my novel | a wing to the house
    | more memory to my computer
Put _. :: the cat among the pigeons | a smile on {name}'s face | the baby to bed
    | a patch on my trousers | some ice on my knee
Play _. :: dominoes with {name} | hide and seek | cards with my uncle | tennis with {name}
    | poker with me | a trick on {name}
Open _. :: a bank account | a bakery | the bottle | my letters | a bottle of champagne
    | your heart
Close _. :: the deal | your eyes | my account | the zipper
Move _. :: your body | the piano upstairs | your queen to the left
Cancel _. :: my gym membership | the newspaper | my credit card | the debts of {name}
Delete _. :: my browser history | the last chapter | my account | the virus
Take _. :: off your hat | my temperature | {name} to court | the trash out
Find _. :: a cure for hiccups | the hidden treasure | a husband for {name} | my passport
    | a flat in {city} | the murderer
Show me _. :: pictures of kittens | your muscles | how to dance | a map of Africa | your face
    | photos of {city}
Send _. :: money to {name} | a rocket to Mars | the parcel back | a fax to {city}
    | roses to {name} | me to sleep
Tell me _. :: a bedtime story | a secret | the plot of Hamlet | who shot Kennedy
    | about your childhood | how to bake bread | something about whales
Tell _ to stop. :: the neighbors | the rain | the war | the birds
Give me _. :: a nickname | a synonym for happy | the definition of art | a fun fact
    | the winning numbers
Write _. :: a limerick | a contract | my speech for the {event} | a song about {city}
    | a short story | a love letter to {name} | an app for me
Read _. :: my palm | the bible to me | between the lines | {name}'s diary | the instructions
Draw _. :: a circle | my portrait | a plan of the {room} | a cartoon | a dragon
Translate _. :: this sentence | I love you into {language} | good night into {language}
    | the menu | water into {language}
Explain _. :: gravity | the offside rule | jazz | democracy to me | the joke | taxes
Describe _. :: the taste of {item} | your ideal day | {city} in winter | a rainbow
Recommend _. :: a film | a dentist | a thriller | a present for {name} | a museum in {city}
    | a shampoo
Compare _. :: cats and dogs | {city} and Paris | these insurance policies | apples and oranges
Calculate _. :: my taxes | the area of a circle | the interest | my body mass index
Count _. :: the sheep | my calories | the stars | to a thousand backwards
Feed _. :: the goldfish | my llama | the ducks | {name}'s baby
Wash _. :: my hair | the windows | {name}'s feet | the salad
Repair _. :: the roof | my bicycle | the {device} | my marriage | the zipper
Renew _. :: my passport | our vows | my library card | the lease
Measure _. :: my pulse | the {room} | the distance to the moon | my waist
Sharpen _. :: my pencil | the scissors | your mind
Bring _. :: me a beer | the paper | peace to the world | {name} some soup | me my slippers
Buy _. :: me a boat | some shares | a house in {city}
Sell _. :: my car | the {device} | my soul | the house in {city}
Pay _. :: my rent | the fine | {name} fifty dollars | the plumber
Invest _. :: in gold | ten thousand dollars | {name}'s money
Lend _. :: me your ears | {name} my bicycle | me some money
Sing _. :: happy birthday | the national anthem | me a lullaby | something by the Beatles
Dance _. :: with me | the tango | like nobody is watching
Guess _. :: my age | what I am thinking | who is at the door | how old {name} is
Choose _. :: a number | a color for my car | between tea and coffee | a name for the baby
Imagine _. :: a world without money | you are a cat | {name} as a pilot
Iron _. :: my shirts | the tablecloth
Cook _. :: an egg | some {dish} | the rice | {item} with garlic
Walk _. :: the dog | to {city} | on your hands
Fly _. :: a kite | to the moon
Teach me _. :: how to knit | some {language} words | the alphabet | karate | the guitar
Help me _. :: move the piano | find a job | with my taxes | forget {name} | choose a dress
Record _. :: my voice | a podcast | the concert | the score
Check _. :: my spelling | my blood sugar | the oil | the tires | {name}'s homework
    | under the bed
Scan _. :: my passport | the barcode | this photo
Start _. :: a revolution | the car | a family | a rumor about {name} | a fire
Stop _. :: global warming | the clock | {name} from smoking | the thief
Lock _. :: my phone
Light _. :: the fireplace | my cigarette
Fill _. :: the bathtub | out this form | the tank
Clean _. :: my teeth | the fish | the aquarium | {name}'s shoes | the gun
Dim _. :: my hopes
Convert _. :: me to buddhism | my garage into a studio | the file
Repeat _. :: the third grade | your mistakes | the experiment
Change _. :: the diaper | my bandage | the rules | your mind | the oil | my password
Invite _. :: the whole world | a comedian
Remind me _. :: why I love {name} | what happiness is | of my youth | who {name} is
Wake _. :: the dead | {name} with a kiss | the bear
Make _. :: me a sandwich | the bed | peace with {name} | a paper plane | my day
Help, _! :: there is a snake | I am lost in the woods | my hair is on fire | I cannot swim
I want to _. :: learn karate | be famous | become a nurse | hear a joke | see the pyramids
    | bake a cake | talk to a human | fly like a bird
I need _. :: a new job | a lawyer | some advice about {name} | a plumber | glasses
    | a passport photo
I would like _. :: a pet | a divorce | to adopt a child | to know who {name} is | your opinion
I have _. :: a headache | a cat called {name} | two brothers | a question about history
    | lost my wallet in {city} | a stomach ache
My _. :: tooth hurts | car does not start | computer is slow | cat is called {name}
    | neighbor is noisy | nose is bleeding
There is _. :: a mouse in the {room} | something under my bed | no hope | water in the {room}
    | a spider on the wall
"""


def _lines(text: str) -> list[str]:
    found = []
    for line in re.sub(r"\n +", " ", text).strip().splitlines():
        pattern, _, gaps = line.partition(" :: ")
        found += [pattern.replace("_", gap) for gap in gaps.split(" | ")]
    return found


FURTHER_LINES = tuple(_lines(_QUESTIONS) + _lines(_COMMANDS))
"""Lines like those of :mod:`~cascadence.data_manifests.assistant.outside`."""
